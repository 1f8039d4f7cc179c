/** Theme and density: the setting wins over what the system asks for (web 8). */
import { effect } from "@preact/signals";
import { themeChanges } from "../plots/colours.ts";
import { setting } from "./session.ts";

export function applyTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const apply = () => {
    const wanted = setting("web.theme");
    const isDark = wanted === "dark" || (wanted !== "light" && dark.matches);
    root.dataset.theme = isDark ? "dark" : "light";
    root.dataset.density = setting("web.density");
    const perRow = setting("web.plotsPerRow");
    if (perRow > 0) root.style.setProperty("--plots-per-row", String(perRow));
    else root.style.removeProperty("--plots-per-row");
    themeChanges.value = themeChanges.peek() + 1;
  };
  effect(apply);
  dark.addEventListener("change", apply);
}

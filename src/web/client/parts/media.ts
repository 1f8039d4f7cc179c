/** Whether the screen is a phone's, as the style sheets see it. */
import { signal } from "@preact/signals";

const query = matchMedia("(max-width: 640px)");

export const isPhone = signal(query.matches);

query.addEventListener("change", () => isPhone.value = query.matches);

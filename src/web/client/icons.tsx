/** The icons of the pages: one path each, drawn in the colour of the text. */
import type { JSX } from "preact";

const PATHS = {
  logo:
    "M12 2a10 10 0 1 0 10 10h-3a7 7 0 1 1-7-7zm3 .5V9a3 3 0 1 1-3-3h.5M17 4.2a9 9 0 0 1 3.6 4.3",
  home: "M3 11 12 3l9 8M5 9.5V21h5v-6h4v6h5V9.5",
  jobs: "M4 6h2M4 12h2M4 18h2M9 6h11M9 12h11M9 18h11",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6",
  close: "M6 6l12 12M18 6 6 18",
  check: "M4 12.5 9.5 18 20 6.5",
  plus: "M12 5v14M5 12h14",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.5 19 12 7 19.5z",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  pin: "M9 3h6l-1 7 4 3v2H6v-2l4-3zM12 15v6",
  table: "M4 5h16v14H4zM4 10h16M10 10v9",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18v.5",
  columns: "M4 5h16v14H4zM9.5 5v14M14.5 5v14",
} as const;
export type IconName = keyof typeof PATHS;

/** Says nothing to screen readers: words beside it, or a label around it, do. */
export function Icon(
  { name, size = 18 }: { name: IconName; size?: number },
): JSX.Element {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

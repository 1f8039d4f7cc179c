/**
 * Names from outside as text (web 6): control and direction characters become marks
 * that can be seen, so that no name can look like another or turn a line round.
 */
import type { JSX } from "preact";

const LONG = 60;

/** The text with what cannot be seen made visible. */
export function visible(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    (char) =>
      char < " "
        ? String.fromCharCode(0x2400 + char.charCodeAt(0))
        : `⟨U+${
          char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")
        }⟩`,
  );
}

/** A name; a long one is cut, and all of it is shown on pointing. */
export function Name(
  { text, none = "–", most = LONG }: {
    text: string;
    none?: string;
    most?: number;
  },
): JSX.Element {
  if (text === "") return <span class="muted">{none}</span>;
  const shown = visible(text);
  if (shown.length <= most) return <bdi>{shown}</bdi>;
  return <bdi title={shown.slice(0, 2000)}>{shown.slice(0, most - 1)}…</bdi>;
}

/** Text of many lines, such as a script: line breaks and tabs stay what they are. */
export function visibleLines(text: string): string {
  return text.split("\n")
    .map((line) => line.split("\t").map(visible).join("\t"))
    .join("\n");
}

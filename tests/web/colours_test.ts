/** Contrast of the colours in tokens.css, computed (web 8). */
import assert from "node:assert/strict";

/** The colours of one theme in tokens.css, by name. */
function tokens(selector: string): Map<string, string> {
  const css = Deno.readTextFileSync(
    new URL("../../src/web/client/styles/tokens.css", import.meta.url),
  );
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("}", start));
  return new Map(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)]
      .map(([, name, colour]) => [name!, colour!]),
  );
}

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045
      ? channel / 12.92
      : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const TEXTS = ["text", "muted", "accent", "good", "caution", "alert"];
const GROUNDS = ["page", "surface", "raised"];
/** Texts on tinted grounds, as in strips, findings and the chosen link. */
const TINTED: readonly (readonly [string, string])[] = [
  ["text", "accent-soft"],
  ["accent", "accent-soft"],
  ["text", "caution-soft"],
  ["alert", "caution-soft"],
  ["caution", "caution-soft"],
  ["alert", "alert-soft"],
  ["on-accent", "accent"],
];
const MARKS = ["border", "plot-1", "plot-2", "plot-3", "plot-4", "plot-5"];

for (
  const [theme, selector] of [["light", ":root"], [
    "dark",
    ':root[data-theme="dark"]',
  ]] as const
) {
  Deno.test(`texts and marks of the ${theme} theme can be told from their ground`, () => {
    const colours = tokens(selector);
    const faults: string[] = [];
    const check = (name: string, ground: string, least: number) => {
      const [a, b] = [colours.get(name), colours.get(ground)];
      assert.ok(a !== undefined && b !== undefined, `${name} on ${ground}`);
      const found = contrast(a, b);
      if (found < least) {
        faults.push(`${name} on ${ground}: ${found.toFixed(2)} < ${least}`);
      }
    };
    for (const ground of GROUNDS) {
      for (const text of TEXTS) check(text, ground, 4.5);
    }
    for (const [text, ground] of TINTED) check(text, ground, 4.5);
    // Lines and borders lie on the ground of cards and of the page.
    for (const mark of MARKS) {
      check(mark, "page", 3);
      check(mark, "raised", 3);
    }
    assert.deepEqual(faults, []);
  });
}

/** The keys that work, and what the symbols mean. */
import type { JSX } from "preact";
import { LEVELS } from "../../shared/levels.ts";
import { Dialog } from "./dialog.tsx";
import { LevelMark } from "./level.tsx";
import type { LevelName } from "../../shared/answers.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "search"],
  ["?", "this help"],
  ["g h", "home"],
  ["g j", "jobs"],
  ["g s", "settings"],
  ["p", "pause and go on"],
  ["r", "ask again now"],
  ["f", "filters of a list"],
  ["j k", "next and previous row of a list"],
  ["x", "select a row; Enter opens it"],
  ["[ ]", "previous and next job of the user"],
  ["← →", "in a plot: move the cursor, with Shift by ten"],
  ["+ −", "in a plot: zoom; Backspace goes back"],
];

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keys and symbols" onClose={onClose}>
      <div class="help-keys">
        {KEYS.map(([keys, what]) => (
          <>
            <span>
              {keys.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}
            </span>
            <span>{what}</span>
          </>
        ))}
      </div>
      <h3>Levels</h3>
      {Object.keys(LEVELS).map((level) => (
        <p class="small" key={level}>
          <LevelMark level={level as LevelName} withWord />:{" "}
          {LEVELS[level as LevelName].advice}
        </p>
      ))}
    </Dialog>
  );
}

/** The actions on the rows that are selected. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, sendJson } from "../../api.ts";
import { hasRole, session } from "../../state/session.ts";

interface SelectionBarProps {
  readonly selected: ReadonlySet<number>;
  readonly onClear: () => void;
  readonly onDone: () => void;
}

export function SelectionBar(
  { selected, onClear, onDone }: SelectionBarProps,
): JSX.Element {
  const [said, say] = useState("");
  const tag = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const [type, name, scope] = ["type", "name", "scope"]
      .map((key) => String(fields.get(key)));
    let done = 0;
    try {
      for (const id of selected) {
        await sendJson("POST", `jobs/${id}/tags`, [{ type, name, scope }]);
        done++;
      }
      say(`${done} tagged`);
      form.reset();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(`${done} tagged, then: ${error.message}`);
    }
    onDone();
  };
  return (
    <form class="card row" onSubmit={tag} aria-label="Selected jobs">
      <strong>{selected.size} selected</strong>
      <input
        name="type"
        placeholder="tag type"
        aria-label="Type of the tag"
        required
      />
      <input
        name="name"
        placeholder="tag name"
        aria-label="Name of the tag"
        required
      />
      <TagScope />
      <button type="submit">Tag</button>
      <button type="button" class="plain" onClick={onClear}>Clear</button>
      <span role="status">{said}</span>
    </form>
  );
}

/** The people who see a tag: its maker alone, everybody, or administrators. */
export function TagScope(): JSX.Element {
  const name = session.value?.user.username ?? "";
  return (
    <select name="scope" aria-label="Who sees the tag">
      <option value={name}>private</option>
      {hasRole("admin", "support") && <option value="global">global</option>}
      {hasRole("admin") && <option value="admin">administrators</option>}
    </select>
  );
}

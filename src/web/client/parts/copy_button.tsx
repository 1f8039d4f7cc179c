/** A button that copies a text, and says that it did. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../icons.tsx";

const SAID_MS = 2000;

/** `label` is what is copied, in words. */
export function CopyButton(
  { text, label }: { text: string; label: string },
): JSX.Element {
  const [said, say] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("copied");
    } catch {
      say("not allowed here: mark and copy it");
    }
    setTimeout(() => say(""), SAID_MS);
  };
  return (
    <button type="button" onClick={copy} aria-label={`Copy ${label}`}>
      <Icon name="copy" size={16} />
      <span role="status">{said || "Copy"}</span>
    </button>
  );
}

/** A command to copy. */
export function Command(
  { text, label }: { text: string; label: string },
): JSX.Element {
  return (
    <div class="command">
      <pre tabIndex={0} aria-label={label}>{text}</pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}

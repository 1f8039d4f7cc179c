/** A window over the page. The browser keeps the focus in it and gives it back. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Dialog(
  { title, onClose, children }: {
    title: string;
    /** Absent: it cannot be closed without doing what it asks for. */
    onClose?: () => void;
    children: ComponentChildren;
  },
): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <div class="row spread">
        <h2>{title}</h2>
        {onClose && (
          <button type="button" class="plain" onClick={onClose}>Close</button>
        )}
      </div>
      {children}
    </dialog>
  );
}

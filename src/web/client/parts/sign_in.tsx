/** The sign-in form over the page, when the login ended meanwhile (web 3.0). */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, getJson, postForm, signedInAgain } from "../api.ts";
import { session } from "../state/session.ts";
import { Dialog } from "./dialog.tsx";

export function SignIn(): JSX.Element {
  const [error, setError] = useState("");
  const [isCaps, setCaps] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const name = session.peek()?.user.username ?? "";

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    setBusy(true);
    try {
      await postForm("/login", {
        username: String(fields.get("username")),
        password: String(fields.get("password")),
      });
      if (String(fields.get("username")) !== name && name !== "") {
        // Somebody else: nothing of what is on the screen is theirs.
        location.reload();
        return;
      }
      signedInAgain();
    } catch (trouble) {
      setError(
        trouble instanceof ApiError && trouble.status === 429
          ? `Too many tries: wait ${trouble.retryAfterSec ?? 60} s.`
          : trouble instanceof ApiError && trouble.status === 0
          ? "The server does not answer."
          : "Login failed: check name and password.",
      );
      form.querySelector<HTMLInputElement>("[name=password]")?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title="Sign in again">
      <p>Your login has ended. The page goes on where it was.</p>
      <form onSubmit={submit}>
        {error !== "" && <p class="alert" role="alert">{error}</p>}
        <label class="field">
          <span>User name</span>
          <input
            name="username"
            autoComplete="username"
            defaultValue={name}
            required
          />
        </label>
        <label class="field">
          <span>Password</span>
          <input
            name="password"
            type="password"
            autoComplete="current-password"
            required
            autoFocus
            onKeyUp={(event) => setCaps(event.getModifierState("CapsLock"))}
          />
        </label>
        {isCaps && <p class="caution" role="status">Caps Lock is on.</p>}
        <button type="submit" class="primary" disabled={isBusy}>Sign in</button>
      </form>
    </Dialog>
  );
}

/** Asks who looks once more; used by other tabs' logout. */
export async function checkSession(): Promise<void> {
  await getJson("session");
}

/**
 * Keys that were in use before the present ones: what they signed is still good, so
 * that a key can be changed while tokens and sessions of the old one are about.
 * Nothing is signed with them. Main thread, at start.
 */
import { Buffer } from "node:buffer";
import { KeyError, readPublicKey } from "./ed25519.ts";
import { SESSION_KEY_BYTES_MIN } from "./keys.ts";

/** A signature of a stranger is checked with each of them. */
export const PREVIOUS_KEYS_MAX = 8;

/** `main.previous-jwt-public-keys`. Throws a {@linkcode KeyError} that names the bad one. */
export async function previousPublicKeys(
  texts: readonly string[],
): Promise<CryptoKey[]> {
  const name = "main.previous-jwt-public-keys";
  checkCount(name, texts.length);
  const keys = await Promise.all(
    texts.map((text, i) => readPublicKey(text, `${name}[${i}]`)),
  );
  return keys.map(({ key }) => key);
}

/** `SESSION_KEY_PREVIOUS`: base64, several joined by commas; `""` or absent: none. */
export function previousSessionKeys(
  text: string = Deno.env.get("SESSION_KEY_PREVIOUS") ?? "",
): Uint8Array[] {
  const name = "SESSION_KEY_PREVIOUS";
  const texts = text.split(",").map((part) => part.trim()).filter(Boolean);
  checkCount(name, texts.length);
  return texts.map((part, i) => {
    const key = Buffer.from(part, "base64");
    if (key.length >= SESSION_KEY_BYTES_MIN) return key;
    throw new KeyError(
      `${name}: key ${
        i + 1
      } is no session key: base64 of at least ${SESSION_KEY_BYTES_MIN} bytes expected`,
    );
  });
}

function checkCount(name: string, count: number): void {
  if (count <= PREVIOUS_KEYS_MAX) return;
  throw new KeyError(
    `${name}: at most ${PREVIOUS_KEYS_MAX} keys are taken, got ${count}`,
  );
}

/**
 * The one way to ask the server: requests to `/web/api` and the few older routes that
 * the pages use. Equal questions under way are asked once; a login that ended opens the
 * sign-in form over the page, and what was asked goes on after it (web 3.0).
 */
import { signal } from "@preact/signals";
import { decodeFrame, type Frame } from "../shared/frame.ts";
import { second, setServerTime } from "./clock.ts";

const BASE = "/web/api/";

/** An answer that is no success, in the server's words. */
export class ApiError extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  readonly retryAfterSec: number | undefined;

  constructor(status: number, message: string, retryAfterSec?: number) {
    super(message);
    this.status = status;
    this.retryAfterSec = retryAfterSec;
  }

  /** Whether the same question may be answered a little later. */
  get isPassing(): boolean {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}

/** Whether the login ended while the page was open. */
export const isSignedOut = signal(false);
/** When the server answered last, whatever it answered; 0: not yet. */
export const lastAnswerSec = signal(0);

let afterSignIn: (() => void)[] = [];

/** Called by the form over the page. */
export function signedInAgain(): void {
  isSignedOut.value = false;
  const waiting = afterSignIn;
  afterSignIn = [];
  for (const resume of waiting) resume();
}

function signIn(): Promise<void> {
  isSignedOut.value = true;
  return new Promise((resolve) => afterSignIn.push(resolve));
}

async function ask(
  path: string,
  options: RequestInit,
): Promise<Response> {
  for (;;) {
    let response: Response;
    try {
      response = await fetch(path, { credentials: "same-origin", ...options });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ApiError(0, "the server does not answer");
    }
    // Not out of the body: that may come from the browser's cache.
    const sentSec = Date.parse(response.headers.get("Date") ?? "") / 1000;
    if (Number.isFinite(sentSec)) setServerTime(sentSec);
    lastAnswerSec.value = second.value;
    if (response.ok) return response;
    if (response.status === 401 && path.startsWith(BASE)) {
      await response.body?.cancel();
      await signIn();
      continue;
    }
    throw await errorOf(response);
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = (await response.text()).slice(0, 2000);
  let message = text.trim() || response.statusText;
  try {
    const answer = JSON.parse(text);
    if (typeof answer.error === "string") message = answer.error;
  } catch {
    // Not JSON: the text itself is the message.
  }
  const after = Number(response.headers.get("Retry-After") ?? NaN);
  return new ApiError(
    response.status,
    message,
    Number.isFinite(after) ? after : undefined,
  );
}

const underWay = new Map<string, Promise<unknown>>();

/** GET below `/web/api`. */
export function getJson<T>(path: string): Promise<T> {
  const known = underWay.get(path);
  if (known !== undefined) return known as Promise<T>;
  const asked = ask(BASE + path, { headers: { Accept: "application/json" } })
    .then((response) => response.json() as Promise<T>)
    .finally(() => underWay.delete(path));
  underWay.set(path, asked);
  return asked;
}

/** POST, PATCH or DELETE with a JSON body below `/web/api`. */
export async function sendJson<T>(
  method: "POST" | "PATCH" | "DELETE",
  path: string,
  body: unknown,
): Promise<T | undefined> {
  const response = await ask(BASE + path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text) as T;
}

/** POST that is answered by a frame. */
export async function postFrame(
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Frame> {
  const response = await ask(BASE + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  return decodeFrame(new Uint8Array(await response.arrayBuffer()));
}

/** A form to one of the older routes; gives the text of the answer. */
export async function postForm(
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  const response = await ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields),
  });
  return await response.text();
}

/** Text of one of the older routes. */
export async function getText(path: string): Promise<string> {
  return await (await ask(path, {})).text();
}

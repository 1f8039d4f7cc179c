/**
 * A part of a page in all its states (web 3.0): skeleton, error, stale, restoring, not
 * allowed, too much; what it shows when all is well is the caller's.
 */
import type { ComponentChildren, JSX } from "preact";
import type { ApiError } from "../api.ts";
import { second } from "../clock.ts";
import { zone } from "../state/session.ts";
import type { Answer } from "../state/answer.ts";
import { formatClock } from "../../shared/times.ts";
import { visible } from "./text.tsx";

interface PartProps<T> {
  readonly of: Answer<T>;
  /** Pixels that the part will have; nothing jumps when it comes. */
  readonly height: number;
  readonly children: (value: T) => ComponentChildren;
}

export function Part<T>({ of, height, children }: PartProps<T>): JSX.Element {
  const { value, error } = of;
  if (value !== undefined) {
    return (
      <div aria-busy={of.isLoading}>
        {error !== undefined && <Stale of={of} />}
        <div class={error !== undefined ? "stale" : undefined}>
          {children(value)}
        </div>
      </div>
    );
  }
  if (error !== undefined) {
    return <Trouble error={error} of={of} height={height} />;
  }
  return <Skeleton height={height} />;
}

export function Skeleton({ height }: { height: number }): JSX.Element {
  return (
    <div
      class="skeleton"
      style={{ height: `${height}px` }}
      role="status"
      aria-label="loading"
    />
  );
}

/** Why there is nothing, and what to do about it. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="part-note">{children}</div>;
}

function Stale({ of }: { of: Answer<unknown> }): JSX.Element {
  const wait = Math.ceil(of.retryAtSec - second.value);
  return (
    <p class="stale-note small" role="status">
      not updated since {formatClock(of.atSec, zone.value, true)}
      {wait > 0 && of.retryAtSec > 0 ? `, trying again in ${wait} s` : ""}
    </p>
  );
}

/** The meaning of an error for its reader, beside the server's own sentence. */
function meaning(error: ApiError): string {
  switch (error.status) {
    case -1:
      return "This page failed here";
    case 0:
      return "The server does not answer";
    case 403:
      return "Not allowed for your role";
    case 404:
      return "Not there";
    case 422:
      return "Too much at once";
    case 429:
      return "Too many requests";
    case 503:
      return /restor|starting/i.test(error.message)
        ? "The server is reading its log after a start"
        : "The server is busy";
    default:
      return `The server answered ${error.status}`;
  }
}

function Trouble(
  { error, of, height }: {
    error: ApiError;
    of: Answer<unknown>;
    height: number;
  },
): JSX.Element {
  const wait = Math.ceil(of.retryAtSec - second.value);
  return (
    <div
      class="part-note trouble"
      role="alert"
      style={{ minHeight: `${Math.min(height, 240)}px` }}
    >
      <strong>{meaning(error)}</strong>
      <span>{visible(error.message).slice(0, 500)}</span>
      <span class="row">
        <button type="button" onClick={of.reload}>Try again</button>
        {of.retryAtSec > 0 && wait > 0 && (
          <span class="small">by itself in {wait} s</span>
        )}
      </span>
    </div>
  );
}

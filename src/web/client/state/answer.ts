/**
 * A part of a page and what it knows: the answer, an older one while the server is
 * away, or why there is none. Passing trouble is tried again, from 1 to 30 seconds
 * apart; nothing is asked while the tab is hidden or the page is paused.
 */
import { signal } from "@preact/signals";
import { useEffect, useReducer, useRef } from "preact/hooks";
import { ApiError } from "../api.ts";
import { nowSec } from "../clock.ts";

/** Whether people stopped the page (key `p`). */
export const isPaused = signal(false);
/** Counts up when everything is to be asked again (key `r`). */
export const refreshes = signal(0);

export interface Answer<T> {
  readonly value?: T;
  readonly error?: ApiError;
  readonly isLoading: boolean;
  /** When `value` came. */
  readonly atSec: number;
  /** When the next try is, after trouble; 0: none is planned. */
  readonly retryAtSec: number;
  readonly reload: () => void;
}

const BACKOFF_MAX_SEC = 30;
const HIDDEN_LOOK_MS = 1000;

interface State<T> {
  key: string | undefined;
  value?: T;
  error?: ApiError;
  isLoading: boolean;
  atSec: number;
  retryAtSec: number;
}

/**
 * Asks when `key` changes; `undefined`: not yet. With `refreshSec` again and again: a
 * number of seconds, or what the last answer says.
 *
 * @param keeps while another key loads, the value of the last one stays
 */
export function useAnswer<T>(
  key: string | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
  refreshSec?: number | ((value: T) => number | undefined),
  { keeps = false } = {},
): Answer<T> {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const state = useRef<State<T>>(
    { key: undefined, isLoading: true, atSec: 0, retryAtSec: 0 },
  );
  const latest = useRef({ ask, refreshSec });
  latest.current = { ask, refreshSec };
  const restart = useRef<() => void>(() => {});

  useEffect(() => {
    if (key === undefined) return;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const now = state.current;
    if (now.key !== key && !keeps) delete now.value;
    delete now.error;
    now.key = key;
    now.isLoading = true;

    const plan = (sec: number | undefined) => {
      clearTimeout(timer);
      if (sec === undefined || signal.aborted) return;
      // A tenth of chance keeps many pages from asking in step; seconds are chance enough.
      const spread = 0.9 + 0.2 * ((performance.now() / 7) % 1);
      timer = setTimeout(run, sec * spread * 1000);
    };
    const run = async () => {
      const isHidden = document.visibilityState === "hidden";
      if (now.value !== undefined && (isHidden || isPaused.peek())) {
        timer = setTimeout(run, HIDDEN_LOOK_MS);
        return;
      }
      try {
        const value = await latest.current.ask(signal);
        if (signal.aborted) return;
        failures = 0;
        now.value = value;
        now.atSec = nowSec();
        now.retryAtSec = 0;
        delete now.error;
        const { refreshSec } = latest.current;
        plan(typeof refreshSec === "function" ? refreshSec(value) : refreshSec);
      } catch (error) {
        if (signal.aborted) return;
        const known = error instanceof ApiError
          ? error
          : new ApiError(-1, error instanceof Error ? error.message : "failed");
        now.error = known;
        now.retryAtSec = 0;
        if (known.isPassing) {
          const backoff = Math.min(BACKOFF_MAX_SEC, 2 ** failures++);
          const wait = Math.max(backoff, known.retryAfterSec ?? 0);
          now.retryAtSec = nowSec() + wait;
          plan(wait);
        }
      }
      now.isLoading = false;
      redraw(0);
    };
    restart.current = () => {
      clearTimeout(timer);
      void run();
    };
    void run();
    const stop = refreshes.subscribe(() => {
      if (!now.isLoading) restart.current();
    });
    return () => {
      controller.abort();
      clearTimeout(timer);
      stop();
    };
  }, [key]);

  const { value, error, isLoading, atSec, retryAtSec } = state.current;
  const isCurrent = state.current.key === key || keeps;
  return {
    ...(value !== undefined && isCurrent ? { value } : {}),
    ...(error !== undefined && state.current.key === key ? { error } : {}),
    isLoading: isLoading || state.current.key !== key,
    atSec,
    retryAtSec,
    reload: () => restart.current(),
  };
}

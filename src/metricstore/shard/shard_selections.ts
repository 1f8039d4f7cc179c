/**
 * Questions of evaluators to one shard: each gets a little time in turn, between
 * batches and other questions, and waits while its ring is full; the shard never
 * waits for an evaluator. Owner thread only.
 */
import { monotonicMs, nowSec } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";
import { patternCompiler } from "../../base/pattern.ts";
import { FilterCache } from "../query/filter_cache.ts";
import { SeriesMatchers } from "../query/series_matchers.ts";
import {
  type SelectionState,
  SeriesSelection,
} from "../query/series_selection.ts";
import { Bell } from "../transport/bell.ts";
import { RingConsumer, RingProducer } from "../transport/ring.ts";
import {
  type AskSeries,
  isCancelled,
  SELECT_END,
  SELECTION_KIND,
  type SelectionEnd,
} from "../transport/selection_messages.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { StatsBlock } from "../transport/shard_stats.ts";
import type { ShardStart } from "../transport/shard_wiring.ts";
import type { HostName } from "./protected_hosts.ts";

/** A turn: so long a batch may wait for the questions of evaluators. */
const TURN_MS = 2;
/** Looks at the clock are this many steps apart; a step is some ten microseconds. */
const STEPS_A_LOOK = 8;
/** Questions of one evaluator at a time; more wait in its ring. */
const OPEN_MAX = 64;

const ENCODER = new TextEncoder();

interface Open {
  readonly id: number;
  readonly selection: SeriesSelection;
}

/** The rings and bell between the shard and one evaluator. */
interface Evaluator {
  readonly inbox: RingConsumer;
  readonly outbox: RingProducer;
  readonly bell: Bell;
  readonly cancelled: Int32Array;
  readonly open: Open[];
  /** Ends that found no room yet. */
  readonly ends: { readonly id: number; readonly end: SelectionEnd }[];
  askText: string;
  readonly decoder: TextDecoder;
  /** Its ring was full when it was looked at last. */
  isFull: boolean;
}

export class ShardSelections {
  readonly #registry: SeriesRegistry;
  readonly #horizon: (nowSec: number, host: HostName) => number;
  readonly #filters = new FilterCache();
  readonly #evaluators: readonly Evaluator[];
  readonly #stats: StatsBlock;
  #turn = 0;
  /** Before it batches that wait come first: a turn took longer than it should. */
  #notBeforeMs = -Infinity;

  constructor(
    start: ShardStart,
    registry: SeriesRegistry,
    stats: StatsBlock,
    horizon: (nowSec: number, host: HostName) => number,
  ) {
    this.#registry = registry;
    this.#stats = stats;
    this.#horizon = horizon;
    this.#evaluators = start.wiring.evaluators.map((wiring) => ({
      inbox: new RingConsumer(wiring.toShard[start.shard]!),
      outbox: new RingProducer(wiring.fromShard[start.shard]!),
      bell: new Bell(wiring.bell),
      cancelled: new Int32Array(wiring.cancelled),
      open: [],
      ends: [],
      askText: "",
      decoder: new TextDecoder(),
      isFull: false,
    }));
  }

  /** Series that ended and whose numbers are about to be used again. */
  forget(ended: readonly number[]): void {
    if (ended.length === 0) return;
    const set = new Set(ended);
    for (const { open } of this.#evaluators) {
      for (const { selection } of open) selection.forget(set);
    }
  }

  /**
   * One turn, unless the one before took so long that others, who are busy, come
   * first. Returns whether there is more that could be done at once.
   */
  work(isBusy: boolean): boolean {
    const beganMs = monotonicMs();
    if (isBusy && beganMs < this.#notBeforeMs) return true;
    let isWorking = false;
    for (const evaluator of this.#evaluators) {
      this.#takeQuestions(evaluator);
      this.#sendEnds(evaluator);
      evaluator.isFull = false;
      isWorking ||= evaluator.open.length > 0;
    }
    if (!isWorking) return false;
    const hasMore = this.#turnOf(beganMs + TURN_MS);
    const endMs = monotonicMs();
    const tookMs = endMs - beganMs;
    this.#notBeforeMs = endMs + (tookMs > 2 * TURN_MS ? tookMs : 0);
    this.#stats.add("selectionSecTotal", tookMs / 1000);
    this.#publish();
    return hasMore;
  }

  #publish(): void {
    let open = 0;
    for (const evaluator of this.#evaluators) open += evaluator.open.length;
    this.#stats.set("selectionsOpen", open);
  }

  /** Gives questions their turns, the one that had none for longest first. */
  #turnOf(endMs: number): boolean {
    let steps = 0;
    const isDue = () => ++steps % STEPS_A_LOOK === 0 && monotonicMs() >= endMs;
    for (;;) {
      const runnable = this.#evaluators.flatMap((evaluator) =>
        evaluator.isFull
          ? []
          : evaluator.open.map((one) => ({ evaluator, one }))
      );
      if (runnable.length === 0) return false;
      const { evaluator, one } = runnable[this.#turn++ % runnable.length]!;
      const state = this.#work(evaluator, one, isDue);
      if (state === "waiting") evaluator.isFull = true;
      if (state === "done") {
        evaluator.open.splice(evaluator.open.indexOf(one), 1);
        this.#stats.add("selectionsTotal", 1);
        this.#stats.add("selectedSamplesTotal", one.selection.samples);
      }
      if (monotonicMs() >= endMs) return true;
    }
  }

  #work(
    evaluator: Evaluator,
    { id, selection }: Open,
    isDue: () => boolean,
  ): SelectionState {
    if (isCancelled(evaluator.cancelled, id)) return "done";
    try {
      const state = selection.work(isDue, (frame) => {
        const isSent = frame.send(evaluator.outbox, id);
        if (isSent) evaluator.bell.ring();
        return isSent;
      });
      if (state === "done") this.#end(evaluator, id, {});
      return state;
    } catch (error) {
      this.#end(evaluator, id, { error: describe(error) });
      return "done";
    }
  }

  #takeQuestions(evaluator: Evaluator): void {
    const { inbox, decoder } = evaluator;
    while (evaluator.open.length < OPEN_MAX && inbox.next()) {
      const { id, aux } = inbox;
      const isEnd = aux === SELECT_END;
      evaluator.askText += decoder.decode(inbox.payload(), { stream: !isEnd });
      if (inbox.release()) evaluator.bell.ring();
      if (!isEnd) continue;
      const text = evaluator.askText;
      evaluator.askText = "";
      this.#open(evaluator, id, JSON.parse(text) as AskSeries);
    }
  }

  #open(evaluator: Evaluator, id: number, ask: AskSeries): void {
    const now = nowSec();
    try {
      const matchers = new SeriesMatchers(ask.matchers, patternCompiler());
      const selection = new SeriesSelection(
        {
          registry: this.#registry,
          filterOf: (cluster) => this.#filters.of(ask.view, cluster),
          horizonSec: (host) =>
            this.#horizon(now, {
              instance: host.instance,
              cluster: host.cluster,
              name: host.name,
            }),
        },
        ask,
        matchers,
      );
      evaluator.open.push({ id, selection });
    } catch (error) {
      this.#end(evaluator, id, { error: describe(error) });
    }
  }

  #end(evaluator: Evaluator, id: number, end: SelectionEnd): void {
    evaluator.ends.push({ id, end });
    this.#sendEnds(evaluator);
  }

  #sendEnds(evaluator: Evaluator): void {
    const { ends, outbox } = evaluator;
    for (let one = ends[0]; one !== undefined; one = ends[0]) {
      const json = ENCODER.encode(JSON.stringify(one.end));
      if (!outbox.send(SELECTION_KIND.END, one.id, 0, json)) return;
      ends.shift();
      evaluator.bell.ring();
    }
  }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof ClientError) {
    return { code: error.code, message: error.message };
  }
  if (error instanceof SyntaxError) {
    return { code: "E_BAD_REQUEST", message: error.message };
  }
  const message = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return { code: "E_INTERNAL", message };
}

/**
 * Sends samples to a server as line protocol, in bounded batches and in the order
 * they come: where two mean the same slot, the later one must arrive later. One
 * batch is under way while the next one is put together.
 *
 * Which metrics are configured only the server knows: the first sample of each is
 * sent alone, and where it is passed over, the others are not sent at all.
 */
import type { ImportTally } from "./import_tally.ts";
import {
  formatLine,
  isWritableTime,
  lineKey,
  type SeriesName,
} from "./line_format.ts";
import type { StoreClient } from "./store_client.ts";

/** Characters of a batch; well below any sensible limit of a body. */
const BATCH_CHARS = 1 << 20;
/** Levels below the host that lines can name. */
const LEVELS_MAX = 2;

/** A series as lines name it, or why they cannot. */
export interface LineSeries {
  readonly cluster: string;
  readonly metric: string;
  readonly key: string;
  readonly obstacle: "bad-name" | "too-deep" | undefined;
}

export class SampleSender {
  readonly #client: StoreClient;
  readonly #tally: ImportTally;
  readonly #types: readonly string[];
  /** Cluster and metric → whether the server keeps it. */
  readonly #isConfigured = new Map<string, boolean>();
  #text = "";
  #lines = 0;
  #underWay: Promise<void> | undefined;
  #failure: unknown;

  /** `types`: those that level names are cut at. */
  constructor(
    client: StoreClient,
    tally: ImportTally,
    types: readonly string[],
  ) {
    this.#client = client;
    this.#tally = tally;
    this.#types = types;
  }

  series(name: SeriesName): LineSeries {
    const { cluster, metric } = name;
    const key = lineKey(name, this.#types);
    const obstacle = name.levels.length > LEVELS_MAX
      ? "too-deep"
      : key === undefined
      ? "bad-name"
      : undefined;
    return { cluster, metric, key: key ?? "", obstacle };
  }

  /**
   * Takes one sample. `undefined`: go on; a promise: wait for it before the next
   * one. It rejects with the `StoreError` that ends the import.
   */
  add(
    series: LineSeries,
    value: number,
    timestampSec: number,
  ): Promise<void> | undefined {
    this.#tally.samples++;
    const obstacle = series.obstacle ?? obstacleOf(value, timestampSec);
    if (obstacle !== undefined) {
      this.#tally.skip(obstacle, 1);
      return undefined;
    }
    const line = formatLine(series.key, value, timestampSec);
    const { cluster, metric } = series;
    const isConfigured = this.#isConfigured.get(`${cluster}/${metric}`);
    if (isConfigured === undefined) return this.#probe(series, line);
    if (!isConfigured) {
      this.#tally.skipUnknown(cluster, metric, 1);
      return undefined;
    }
    this.#text += line;
    this.#lines++;
    return this.#text.length < BATCH_CHARS ? undefined : this.#sendOff();
  }

  /** Resolves when the server has answered for everything. */
  async finish(): Promise<void> {
    if (this.#lines > 0) await this.#sendOff();
    await this.#settle();
  }

  async #probe({ cluster, metric }: LineSeries, line: string): Promise<void> {
    const outcome = await this.#client.write(line, 1);
    const isConfigured = outcome.skipped["unknown-metric"] === undefined;
    this.#isConfigured.set(`${cluster}/${metric}`, isConfigured);
    if (isConfigured) this.#tally.addOutcome(outcome, line);
    else this.#tally.skipUnknown(cluster, metric, 1);
  }

  async #sendOff(): Promise<void> {
    await this.#settle();
    const text = this.#text;
    const lines = this.#lines;
    this.#text = "";
    this.#lines = 0;
    // Nobody may be waiting when it fails, so the failure is kept for the next who does.
    this.#underWay = this.#client.write(text, lines).then(
      (outcome) => this.#tally.addOutcome(outcome, text),
      (error) => {
        this.#failure = error;
      },
    );
  }

  async #settle(): Promise<void> {
    await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function obstacleOf(
  value: number,
  timestampSec: number,
): "no-number" | "bad-time" | undefined {
  if (!Number.isFinite(value)) return "no-number";
  return isWritableTime(timestampSec) ? undefined : "bad-time";
}

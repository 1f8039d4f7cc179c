/**
 * What jobs that start and stop cost the ingest of metrics: both at once against
 * ingest alone, in pairs. As fast as it goes the two share the processors, and with
 * them the client; so there is also what the same callers cost when a server that only
 * reads and answers takes them, and ingest at the rates that centres send at.
 */
import { nowSec } from "../src/base/clock.ts";
import { drive } from "./support/drive.ts";
import { JobCallers } from "./support/job_callers.ts";
import {
  LOAD_METRICS,
  LOAD_STEP_SEC,
  type LoadRequest,
  renderLoad,
} from "./support/load.ts";
import {
  formatSpread,
  median,
  print,
  type RatioSpread,
  spreadOf,
} from "./support/report.ts";
import { startTarget } from "./support/targets.ts";

const SEED = 6_021;
const PAIRS = 9;
const HOSTS = 300;
const HOSTS_PER_BODY = 25;
const CONNECTIONS = 2;
/** Of a run as fast as it goes; all runs together must not reach the present. */
const ROUNDS = 45;
/** Of a run at a rate. */
const PACED_SEC = 1.4;
const BEFORE_SEC = 45 * 3600;

interface Situation {
  /** Starts and as many stops a second beside the ingest; a large centre has ten. */
  readonly pace: number;
  /** Samples a second that are sent; absent: as many as it takes. */
  readonly offered?: number;
  /** Another process takes starts and stops, and does nothing with them. */
  readonly elsewhere?: true;
}

/**
 * A centre of 5,000 nodes with 500 series each sends 42,000 samples a second. The
 * rates come last: the store grows with every run, and its snapshots disturb those at
 * full rate.
 */
const SITUATIONS: readonly Situation[] = [
  { pace: 1000 },
  { pace: 1000, elsewhere: true },
  { pace: 1000, offered: 4e6 },
  { pace: 1000, offered: 2e6 },
  { pace: 1000, offered: 1e6 },
];

/** The ratios: samples a second with jobs over those without, pair by pair. */
export interface JobIngestRow extends Situation, RatioSpread {
  /** Starts and as many stops a second that there were, the median. */
  readonly reached: number;
  /** Samples a second without jobs, the median. */
  readonly alone: number;
}

/** `callers` start and stop jobs on the server whose port it is. */
export async function measureJobIngest(
  port: number,
  headerLines: string,
  callers: JobCallers,
  small: boolean,
): Promise<JobIngestRow[]> {
  const requests = renderLoad({
    hosts: small ? 2 : HOSTS,
    hostsPerBody: small ? 2 : HOSTS_PER_BODY,
    ...{ order: "host", seed: SEED, writePath: "/api/write", headerLines },
  });
  const ingest = new Ingest(port, requests, small);
  await ingest.run();
  const pairs = small ? 1 : PAIRS;
  const rows: JobIngestRow[] = [];
  for (const situation of SITUATIONS) {
    rows.push(
      situation.elsewhere
        ? await measureElsewhere(situation, ingest, headerLines, pairs)
        : await measurePairs(situation, ingest, callers, pairs),
    );
  }
  return rows;
}

async function measureElsewhere(
  situation: Situation,
  ingest: Ingest,
  headerLines: string,
  pairs: number,
): Promise<JobIngestRow> {
  const other = await startTarget("limit", { metrics: LOAD_METRICS });
  try {
    const callers = await JobCallers.open(other.port, headerLines);
    try {
      return await measurePairs(situation, ingest, callers, pairs);
    } finally {
      callers.close();
    }
  } finally {
    await other.stop();
  }
}

async function measurePairs(
  situation: Situation,
  ingest: Ingest,
  callers: JobCallers,
  pairs: number,
): Promise<JobIngestRow> {
  const { pace, offered, elsewhere } = situation;
  const ratios: number[] = [];
  const reached: number[] = [];
  const alone: number[] = [];
  for (let i = 0; i < pairs; i++) {
    let beside = 0;
    const measureBeside = async () => {
      const paced = callers.pace(pace);
      beside = await ingest.run(offered);
      reached.push(await paced.stop());
    };
    if (i % 2 === 0) await measureBeside();
    alone.push(await ingest.run(offered));
    if (i % 2 === 1) await measureBeside();
    ratios.push(beside / alone[i]!);
  }
  const row = {
    ...situation,
    ...{ reached: median(reached), alone: median(alone) },
    ...spreadOf(ratios),
  };
  print(
    `ingest of ${(row.alone / 1e6).toFixed(2)} M samples a second beside ${
      row.reached.toFixed(0)
    } starts and stops a second${elsewhere ? " elsewhere" : ""}: ${
      formatSpread(row, 3)
    } of that alone`,
  );
  return row;
}

/** Rounds of samples, each run going on where the one before ended. */
class Ingest {
  readonly #port: number;
  readonly #requests: readonly LoadRequest[];
  readonly #rounds: number;
  readonly #samplesPerRound: number;
  #startSec = nowSec() - BEFORE_SEC;

  constructor(port: number, requests: readonly LoadRequest[], small: boolean) {
    this.#port = port;
    this.#requests = requests;
    this.#rounds = small ? 2 : ROUNDS;
    this.#samplesPerRound = requests.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** Sends `offered` samples a second, or as many as it takes; resolves to the rate. */
  async run(offered?: number): Promise<number> {
    const rounds = offered === undefined ? this.#rounds : Math.min(
      this.#rounds,
      Math.ceil(offered * PACED_SEC / this.#samplesPerRound),
    );
    const { samples, elapsedMs } = await drive({
      ...{ port: this.#port, requests: this.#requests, rounds },
      ...{ connections: CONNECTIONS, startSec: this.#startSec },
      ...(offered === undefined ? {} : { samplesPerSec: offered }),
      ...{ warmUpMs: 0, measureMs: Infinity },
    });
    this.#startSec += rounds * LOAD_STEP_SEC;
    return samples / elapsedMs * 1000;
  }
}

/**
 * Sends rounds of prepared write requests over some connections, one request
 * in flight on each, as fast as they are answered or at a rate, and checks that
 * every answer is a success.
 */
import { monotonicMs, nowSec } from "../../src/base/clock.ts";
import { LOAD_STEP_SEC, type LoadRequest } from "./load.ts";
import { RawConnection } from "./raw_http.ts";

export interface DriveOptions {
  readonly port: number;
  readonly requests: readonly LoadRequest[];
  readonly connections: number;
  /** Time of the first round's samples; each further round is a step later. */
  readonly startSec: number;
  /** Between two rounds; absent: `LOAD_STEP_SEC`. */
  readonly stepSec?: number;
  /** Rounds to send; `Infinity` with a `measureMs`. */
  readonly rounds: number;
  /** Sent before measuring begins; not counted. */
  readonly warmUpMs: number;
  /** Sending stops after it; `Infinity` with `rounds`. */
  readonly measureMs: number;
  /** Of all connections together; absent: as fast as it goes. What is late is caught up. */
  readonly samplesPerSec?: number;
  /** New values every round instead of new times only; costs the generator some. */
  readonly newValues?: boolean;
  /** Begin again at the start when the present is reached; for who does not look at times. */
  readonly repeatTimes?: boolean;
}

export interface DriveResult {
  readonly samples: number;
  readonly elapsedMs: number;
}

export async function drive(options: DriveOptions): Promise<DriveResult> {
  const { stepSec = LOAD_STEP_SEC } = options;
  const roundsMax = Math.floor((nowSec() - options.startSec) / stepSec);
  const begin = monotonicMs();
  const measureFrom = begin + options.warmUpMs;
  const stopAt = measureFrom + options.measureMs;
  let samples = 0;
  let firstMs = Infinity;
  let lastMs = begin;

  async function run(connection: RawConnection, own: readonly LoadRequest[]) {
    const perMs = (options.samplesPerSec ?? Infinity) / 1000 /
      connections.length;
    let sent = 0;
    for (let round = 0; round < options.rounds; round++) {
      if (round >= roundsMax && options.repeatTimes !== true) {
        throw new Error("the load has reached the present; start it earlier");
      }
      const timeSec = options.startSec + (round % roundsMax) * stepSec;
      for (const request of own) {
        const earlyMs = begin + sent / perMs - monotonicMs();
        if (earlyMs > 0) await new Promise((next) => setTimeout(next, earlyMs));
        sent += request.lines;
        const startedMs = monotonicMs();
        if (startedMs >= stopAt) return;
        request.setTime(timeSec);
        if (options.newValues === true) request.setValues();
        const { status } = await connection.exchange(request.bytes);
        if (status < 200 || status > 299) {
          throw new Error(`a write was answered with ${status}`);
        }
        // A request counts when it began in the measured time.
        if (startedMs < measureFrom) continue;
        samples += request.lines;
        firstMs = Math.min(firstMs, startedMs);
        lastMs = monotonicMs();
      }
    }
  }

  const connections = await Promise.all(
    Array.from(
      { length: Math.min(options.connections, options.requests.length) },
      () => RawConnection.open(options.port),
    ),
  );
  try {
    await Promise.all(connections.map((connection, c) =>
      run(
        connection,
        options.requests.filter((_, i) => i % connections.length === c),
      )
    ));
  } finally {
    for (const connection of connections) connection.close();
  }
  if (samples === 0) throw new Error("nothing was sent in the measured time");
  return { samples, elapsedMs: lastMs - firstMs };
}

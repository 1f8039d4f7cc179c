/** Programs that start and stop jobs over HTTP: as fast as they can, or at a pace. */
import { monotonicMs, nowSec } from "../../src/base/clock.ts";
import { hostName, LOAD_CLUSTER } from "./load.ts";
import { encodeRequest, RawConnection } from "./raw_http.ts";
import { print } from "./report.ts";

const CALLERS = 16;
const FIRST_JOB_ID = 50_000_000;
const HOSTS = 50;
const JOB_SEC = 3600;
const POLL_MS = 20;

export interface JobRates {
  readonly startsPerSec: number;
  readonly stopsPerSec: number;
  /** Of one node and an hour, after the last of them has stopped. */
  readonly archivedPerSec: number;
}

export class JobCallers {
  readonly #connections: readonly RawConnection[];
  readonly #headerLines: string;
  readonly #startTime = nowSec() - 2 * JOB_SEC;
  #started = 0;

  private constructor(
    connections: readonly RawConnection[],
    headerLines: string,
  ) {
    this.#connections = connections;
    this.#headerLines = headerLines;
  }

  static async open(port: number, headerLines: string): Promise<JobCallers> {
    const connections = await Promise.all(
      Array.from({ length: CALLERS }, () => RawConnection.open(port)),
    );
    return new JobCallers(connections, headerLines);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Starts, then stops so many jobs, then waits until all are archived. */
  async measure(count: number): Promise<JobRates> {
    await this.#untilArchived();
    const first = this.#started;
    this.#started += count;
    const startsPerSec = await this.#perSecond(
      count,
      (connection, i) => this.#start(connection, first + i, 1),
    );
    const stopsPerSec = await this.#perSecond(
      count,
      (connection, i) => this.#stop(connection, first + i),
    );
    const waiting = await this.#waiting();
    const archivedPerSec = waiting / (await this.#untilArchived() / 1000);
    print(
      `start ${startsPerSec.toFixed(0)}/s, stop ${
        stopsPerSec.toFixed(0)
      }/s, archive ${archivedPerSec.toFixed(0)}/s (${waiting} jobs)`,
    );
    return { startsPerSec, stopsPerSec, archivedPerSec };
  }

  /** Starts and stops jobs at a rate until it is stopped; then gives the rate reached. */
  pace(perSec: number): { stop(): Promise<number> } {
    const beganMs = monotonicMs();
    let isOver = false;
    let count = 0;
    let sent = 0;
    const call = async (connection: RawConnection) => {
      // Not monitored: archiving is work of its own, and is told apart.
      while (!isOver) {
        const dueMs = beganMs + sent++ / perSec * 1000;
        const early = dueMs - monotonicMs();
        if (early > 0) await new Promise((next) => setTimeout(next, early));
        const i = this.#started++;
        await this.#start(connection, i, 0);
        await this.#stop(connection, i);
        count++;
      }
    };
    const calls = Promise.all(this.#connections.map(call));
    return {
      async stop() {
        isOver = true;
        const tookMs = monotonicMs() - beganMs;
        const reached = count / tookMs * 1000;
        await calls;
        return reached;
      },
    };
  }

  async #perSecond(
    count: number,
    call: (connection: RawConnection, i: number) => Promise<void>,
  ): Promise<number> {
    const beganMs = monotonicMs();
    let next = 0;
    await Promise.all(this.#connections.map(async (connection) => {
      while (next < count) await call(connection, next++);
    }));
    return count / (monotonicMs() - beganMs) * 1000;
  }

  #start(
    connection: RawConnection,
    i: number,
    monitoringStatus: 0 | 1,
  ): Promise<void> {
    return this.#post(connection, "start_job", {
      ...{ jobId: FIRST_JOB_ID + i, user: "eve", project: "p1" },
      ...{ cluster: LOAD_CLUSTER, numNodes: 1, startTime: this.#startTime },
      ...{ subCluster: "main", partition: "main", walltime: 86_400 },
      monitoringStatus,
      resources: [{ hostname: hostName(i % HOSTS) }],
      metaData: { jobName: "bench", jobScript: "#!/bin/sh\n".repeat(40) },
    });
  }

  #stop(connection: RawConnection, i: number): Promise<void> {
    return this.#post(connection, "stop_job", {
      ...{ jobId: FIRST_JOB_ID + i, cluster: LOAD_CLUSTER },
      ...{ jobState: "completed", stopTime: this.#startTime + JOB_SEC },
    });
  }

  async #post(
    connection: RawConnection,
    name: string,
    body: unknown,
  ): Promise<void> {
    const { status } = await connection.exchange(
      encodeRequest(
        "POST",
        `/api/jobs/${name}/`,
        this.#headerLines,
        JSON.stringify(body),
      ),
    );
    if (status < 200 || status > 299) {
      throw new Error(`${name} was answered ${status}`);
    }
  }

  /** Milliseconds that it took. */
  async #untilArchived(): Promise<number> {
    const beganMs = monotonicMs();
    while (await this.#waiting() > 0) {
      await new Promise((next) => setTimeout(next, POLL_MS));
    }
    return monotonicMs() - beganMs;
  }

  async #waiting(): Promise<number> {
    const request = encodeRequest("GET", "/metrics", this.#headerLines, "");
    const { body } = await this.#connections[0]!.exchange(request, true);
    const text = new TextDecoder().decode(body);
    const found = /^ringstore_jobs_archive_queue (\d+)$/m.exec(text);
    if (found === null) throw new Error("there is no length of the queue");
    return Number(found[1]);
  }
}

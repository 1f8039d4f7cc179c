/**
 * A model of how cc-slurm-adapter turns the records of `sacct` into calls of the job
 * API: a job it does not know is started, one that has an end and runs by its cache is
 * stopped, and any status it does not expect ends the poll. A job that has ended stays
 * known for six polls, in which it is not started again.
 */
import type { JobApiServer } from "./job_api.ts";

/** What `sacct --json` says of a job; 0: not known (yet). */
export interface SlurmRecord {
  readonly jobId: number;
  /** The first word of its state. */
  readonly state: string;
  readonly start: number;
  readonly end?: number;
  /** Empty where nodes were never assigned. */
  readonly nodes?: readonly string[];
  readonly arrayJobId?: number;
  readonly submit?: number;
}

interface CacheEntry {
  isRunning: boolean;
  age: number;
}

/** Polls in which a job that has ended stays in the cache. */
export const CACHE_POLLS = 6;
const CLUSTER = "fritz";
const LIST =
  "/api/jobs/?state=running&items-per-page=9999999&page=1&with-metadata=false";

export class SlurmAdapter {
  readonly #server: JobApiServer;
  readonly #headers: Readonly<Record<string, string>>;
  #cache = new Map<number, CacheEntry>();
  /** `start 5 201`: what was asked and answered, in order. */
  readonly calls: string[] = [];
  /** The server cannot be reached. */
  isOut = false;

  private constructor(server: JobApiServer, token: string) {
    this.#server = server;
    this.#headers = {
      "X-AUTH-TOKEN": token,
      "Accept": "application/ld+json",
      "Content-Type": "application/json",
    };
  }

  static async connect(server: JobApiServer): Promise<SlurmAdapter> {
    return new SlurmAdapter(server, await server.tokenOf("api"));
  }

  /** The daemon ends and begins anew: what runs is asked of the server. */
  async restart(): Promise<void> {
    const { status, json } = await this.#server.ask("GET", LIST, {
      as: null,
      headers: this.#headers,
    });
    if (status !== 200) throw new Error(`the list of jobs answers ${status}`);
    this.#cache = new Map(
      json.jobs.map(({ jobId }: { jobId: number }) => [
        jobId,
        { isRunning: true, age: 0 },
      ]),
    );
  }

  /** One poll; false: it ended early, and the same records come again. */
  async poll(records: readonly SlurmRecord[]): Promise<boolean> {
    const isDone = await this.#sync(records);
    for (const [jobId, entry] of this.#cache) {
      entry.age = entry.isRunning ? 0 : entry.age + 1;
      if (entry.age >= CACHE_POLLS) this.#cache.delete(jobId);
    }
    return isDone;
  }

  async #sync(records: readonly SlurmRecord[]): Promise<boolean> {
    const jobs = records.filter(({ start, nodes }) =>
      start > 0 && nodes?.length !== 0
    );
    for (const job of jobs) {
      if (this.#cache.has(job.jobId)) continue;
      const status = await this.#post("start", job.jobId, startBody(job));
      if (status !== 201 && status !== 422) return false;
      this.#cache.set(job.jobId, { isRunning: true, age: 0 });
    }
    for (const { jobId, state, end = 0 } of jobs) {
      const entry = this.#cache.get(jobId);
      if (end === 0 || entry?.isRunning === false) continue;
      const status = await this.#post("stop", jobId, {
        ...{ jobId, cluster: CLUSTER, stopTime: end },
        // The adapter hides this word from cc-backend.
        jobState: state === "NODE_FAIL" ? "failed" : state.toLowerCase(),
      });
      if (status !== 200 && status !== 422) return false;
      if (entry !== undefined) entry.isRunning = false;
    }
    return true;
  }

  async #post(what: string, jobId: number, body: unknown): Promise<number> {
    if (this.isOut) {
      this.calls.push(`${what} ${jobId} -`);
      return 0;
    }
    const { status } = await this.#server.ask(
      "POST",
      `/api/jobs/${what}_job/`,
      { as: null, headers: this.#headers, body },
    );
    this.calls.push(`${what} ${jobId} ${status}`);
    return status;
  }
}

/** The whole struct, as Go writes it. */
function startBody(job: SlurmRecord): unknown {
  const { jobId, start, nodes = ["f0101"], arrayJobId = 0 } = job;
  return {
    ...{ cluster: CLUSTER, subCluster: "", partition: "singlenode" },
    ...{ project: "p1", user: "eve", shared: "none", jobState: "", tags: null },
    resources: nodes.map((hostname) => ({
      ...{ hostname, configuration: "", hwthreads: null, accelerators: null },
    })),
    ...{ energyFootprint: null, footprint: null, energy: 0, arrayJobId },
    metaData: { jobName: "run", submitTime: String(job.submit ?? start) },
    concurrentJobs: { items: null, count: 0 },
    ...{ walltime: 86_400, requestedMemory: 0, jobId, duration: 0, smt: 0 },
    ...{ monitoringStatus: 0, numAcc: 0, numHwthreads: 72 },
    ...{ numNodes: nodes.length, statistics: null, id: 0, submitTime: 0 },
    startTime: start,
  };
}

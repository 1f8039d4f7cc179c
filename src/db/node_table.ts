/**
 * Nodes and the history of their states: a row for each node of each report. The
 * newest row of a node is kept however old it is.
 */
import type { Connection, Statement } from "./connection.ts";

export const NODE_STATES = [
  "allocated",
  "reserved",
  "idle",
  "down",
  "mixed",
  "unknown",
] as const;
export type NodeState = typeof NODE_STATES[number];

export type HealthState = "full" | "partial" | "failed";

/** Metrics that a node's health was judged by. */
export interface HealthMetrics {
  readonly missing: readonly string[];
  readonly degraded: readonly string[];
}

/** The report of one node. */
export interface NodeReport {
  readonly hostname: string;
  readonly subCluster: string;
  readonly state: NodeState;
  readonly health: HealthState;
  readonly healthMetrics: HealthMetrics;
  readonly jobsRunning: number;
  readonly cpusAllocated: number;
  /** MB. */
  readonly memoryAllocated: number;
  readonly gpusAllocated: number;
}

export interface NodeStateRow extends NodeReport {
  /** Key of the row in the history. */
  readonly id: number;
  readonly cluster: string;
  /** When the report was received. */
  readonly time: number;
}

/** The part of a report that comes from the batch system. */
type Told = Pick<
  NodeReport,
  | "state"
  | "jobsRunning"
  | "cpusAllocated"
  | "memoryAllocated"
  | "gpusAllocated"
>;

/** Nodes of a cluster that are kept; no machine has so many. */
export const NODES_MAX = 100_000;

/** States of a node between two looks at how many it has, and removed by one look. */
const TRIM_EVERY = 256;
const TRIM_ROWS = 2 * TRIM_EVERY;

type NodeStateRecord = Omit<NodeStateRow, "healthMetrics"> & {
  readonly healthMetrics: string;
};

const SELECT =
  `SELECT node_state.id, cluster, hostname, subcluster AS subCluster,
  time_stamp AS time, node_state AS state, health_state AS health,
  health_metrics AS healthMetrics, jobs_running AS jobsRunning,
  cpus_allocated AS cpusAllocated, memory_allocated AS memoryAllocated,
  gpus_allocated AS gpusAllocated`;

const HAS_NEWER = `EXISTS (SELECT 1 FROM node_state AS newer
  WHERE newer.node_id = node_state.node_id
  AND (newer.time_stamp, newer.id) > (node_state.time_stamp, node_state.id))`;

export class NodeTable {
  readonly #connection: Connection;
  readonly #upsert: Statement<{ id: number }>;
  readonly #insertState: Statement<never>;
  readonly #lastAt: Statement<Told>;
  readonly #known: Statement<{ id: number }>;
  readonly #size: Statement<{ size: number }>;
  readonly #latest: Statement<NodeStateRecord>;
  readonly #latestOf: Statement<NodeStateRecord>;
  readonly #oldStates: Statement<NodeStateRecord>;
  readonly #deleteOldStates: Statement<never>;
  readonly #deleteStates: Statement<never>;
  readonly #deleteBeyond: Statement<never>;
  /** States since a node was last looked at, by node. */
  readonly #sinceTrim = new Map<number, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#upsert = connection.prepare(
      `INSERT INTO node (hostname, cluster, subcluster) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET subcluster = excluded.subcluster RETURNING id`,
    );
    this.#insertState = connection.prepare(
      `INSERT INTO node_state (node_id, time_stamp, node_state, health_state,
       health_metrics, jobs_running, cpus_allocated, memory_allocated,
       gpus_allocated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#lastAt = connection.prepare(
      `SELECT node_state AS state, jobs_running AS jobsRunning,
       cpus_allocated AS cpusAllocated, memory_allocated AS memoryAllocated,
       gpus_allocated AS gpusAllocated FROM node_state
       WHERE node_id = ? AND time_stamp = ? ORDER BY id DESC LIMIT 1`,
    );
    this.#known = connection.prepare(
      "SELECT id FROM node WHERE cluster = ? AND hostname = ?",
    );
    this.#size = connection.prepare(
      "SELECT count(*) AS size FROM node WHERE cluster = ?",
    );
    this.#latest = connection.prepare(
      `${SELECT} FROM node CROSS JOIN node_state ON node_state.id = (
         SELECT id FROM node_state WHERE node_id = node.id
         ORDER BY time_stamp DESC, id DESC LIMIT 1)
       WHERE cluster = ? ORDER BY hostname`,
    );
    this.#latestOf = connection.prepare(
      `${SELECT} FROM node CROSS JOIN node_state ON node_state.node_id = node.id
       WHERE cluster = ? AND hostname = ?
       ORDER BY time_stamp DESC, node_state.id DESC LIMIT 1`,
    );
    this.#oldStates = connection.prepare(
      `${SELECT} FROM node_state CROSS JOIN node ON node.id = node_state.node_id
       WHERE time_stamp < ? AND ${HAS_NEWER} ORDER BY time_stamp LIMIT ?`,
    );
    this.#deleteOldStates = connection.prepare(
      `DELETE FROM node_state WHERE id IN (SELECT id FROM node_state
       WHERE time_stamp < ? AND ${HAS_NEWER} ORDER BY time_stamp LIMIT ?)`,
    );
    this.#deleteStates = connection.prepare(
      "DELETE FROM node_state WHERE id IN (SELECT value FROM json_each(?))",
    );
    this.#deleteBeyond = connection.prepare(
      `DELETE FROM node_state WHERE id IN (SELECT id FROM node_state
       WHERE node_id = ? ORDER BY time_stamp DESC, id DESC LIMIT ? OFFSET ?)`,
    );
  }

  /**
   * Notes what is told of nodes of a cluster. New nodes are made, up to
   * `NODES_MAX` of a cluster: one whose `nodes` is a wildcard takes any name. The
   * last report of a second told once more is no new row: messages may come twice.
   *
   * `statesMax`: the newest states of a node that stay; absent: all. Counting them
   * takes long, so a node may have `TRIM_EVERY` more until it is looked at again.
   */
  report(
    cluster: string,
    time: number,
    reports: readonly NodeReport[],
    statesMax?: number,
  ): void {
    this.#connection.transaction(() => {
      let room: number | undefined;
      for (const node of reports) {
        const { hostname, subCluster } = node;
        if (this.#known.get(cluster, hostname) === undefined) {
          room ??= NODES_MAX - (this.#size.get(cluster)?.size ?? 0);
          if (room-- <= 0) continue;
        }
        const id = this.#upsert.get(hostname, cluster, subCluster)?.id ?? null;
        const last = this.#lastAt.get(id, time);
        if (last !== undefined && isTold(last, node)) continue;
        this.#insertState.run(
          id,
          time,
          node.state,
          node.health,
          JSON.stringify(node.healthMetrics),
          node.jobsRunning,
          node.cpusAllocated,
          node.memoryAllocated,
          node.gpusAllocated,
        );
        if (statesMax !== undefined && id !== null) this.#trim(id, statesMax);
      }
    });
  }

  #trim(node: number, statesMax: number): void {
    // Each begins elsewhere, so that not all are looked at by one report.
    const since = (this.#sinceTrim.get(node) ?? node % TRIM_EVERY) + 1;
    this.#sinceTrim.set(node, since % TRIM_EVERY);
    if (since < TRIM_EVERY) return;
    this.#deleteBeyond.run(node, TRIM_ROWS, statesMax);
  }

  /** The last that was told of one node. */
  latestOf(cluster: string, hostname: string): NodeStateRow | undefined {
    const record = this.#latestOf.get(cluster, hostname);
    return record && nodeStateRow(record);
  }

  /** The last that was told of each node of a cluster, by host name. */
  latest(cluster: string): NodeStateRow[] {
    return this.#latest.all(cluster).map(nodeStateRow);
  }

  /** Rows of before that are not the newest of their node, the oldest first. */
  oldStates(beforeSec: number, limit: number): NodeStateRow[] {
    return this.#oldStates.all(beforeSec, limit).map(nodeStateRow);
  }

  /** Deletes what {@linkcode oldStates} gives; returns how many: fewer than `limit`: all. */
  deleteOldStates(beforeSec: number, limit: number): number {
    return this.#deleteOldStates.run(beforeSec, limit).changes;
  }

  /** Deletes rows of the history. */
  deleteStates(ids: readonly number[]): void {
    this.#deleteStates.run(JSON.stringify(ids));
  }
}

function nodeStateRow(record: NodeStateRecord): NodeStateRow {
  return { ...record, healthMetrics: JSON.parse(record.healthMetrics) };
}

function isTold(last: Told, node: NodeReport): boolean {
  return last.state === node.state &&
    last.jobsRunning === node.jobsRunning &&
    last.cpusAllocated === node.cpusAllocated &&
    last.memoryAllocated === node.memoryAllocated &&
    last.gpusAllocated === node.gpusAllocated;
}

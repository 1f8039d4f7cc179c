/**
 * The answers of the routes below `/web/api`, for the server that writes it and the pages
 * that read it (web 4.2). Types alone: no DOM, no Deno.
 *
 * Times are Unix epoch seconds, spans are seconds. The batch system's job ids are
 * text, since they have up to 64 bits and JavaScript's numbers have 53 (settled 40).
 */

/** Every error of these routes. */
export interface ErrorAnswer {
  readonly status: string;
  readonly error: string;
}

/** A link that the configuration puts on every page. */
export interface PageLink {
  readonly title: string;
  readonly url: string;
}

/** web R1: who looks, and what of the server the pages must know. */
export interface SessionAnswer {
  readonly user: {
    readonly username: string;
    readonly name: string;
    readonly email: string;
    readonly roles: readonly string[];
    readonly projects: readonly string[];
  };
  /** It is false with `disable-authentication`: everybody is an administrator. */
  readonly authentication: boolean;
  readonly version: string;
  /** Hash of the pages that the server has now; another one means: load again. */
  readonly build: string;
  readonly startedSec: number;
  readonly nowSec: number;
  /** An IANA name from `web.time-zone`; `""`: that of the browser. */
  readonly timeZone: string;
  /** Plain text from the notice file; `""`: none. */
  readonly notice: string;
  readonly clusters: readonly string[];
  /** Settings of this user whose keys begin with `web.`. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly features: {
    readonly nats: boolean;
    readonly journal: boolean;
    readonly machineState: boolean;
  };
  readonly limits: {
    /** Jobs shorter than this are marked as short. */
    readonly shortJobSec: number;
    /** g CO2 a kWh; 0: not told. */
    readonly emissionConstant: number;
    /** Most points a series of an answer has. */
    readonly points: number;
  };
  readonly links: readonly PageLink[];
  /** For web V1a; of administrators only. Each is true once it was seen to work. */
  readonly firstSteps?: {
    readonly token: boolean;
    readonly sample: boolean;
    readonly clusterFile: boolean;
    readonly job: boolean;
  };
}

/** A unit as `cluster.json` writes it. */
export interface UnitAnswer {
  readonly base: string;
  readonly prefix?: string;
}

export interface MetricAnswer {
  readonly name: string;
  readonly unit: UnitAnswer;
  readonly scope: string;
  readonly timestep: number;
  readonly aggregation: "sum" | "avg" | "";
  readonly peak: number;
  readonly normal: number;
  readonly caution: number;
  readonly alert: number;
  readonly footprint?: string;
  readonly lowerIsBetter: boolean;
  /** Its meaning in a sentence. */
  readonly tooltip?: string;
}

export interface SubClusterAnswer {
  readonly name: string;
  readonly nodes: string;
  readonly processorType: string;
  readonly socketsPerNode: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  /** Metrics as they are there, overrides applied. */
  readonly metricConfig?: readonly MetricAnswer[];
  readonly topology: {
    readonly node: readonly number[];
    readonly socket?: readonly (readonly number[])[];
    readonly memoryDomain?: readonly (readonly number[])[];
    readonly core?: readonly (readonly number[])[];
    readonly accelerators?: readonly { readonly id: string }[];
  };
}

/** As `/api/clusters` answers it (job-api 5.4), and web 15.1. */
export interface ClusterAnswer {
  readonly name: string;
  /** It is false: there is no `cluster.json`; metrics are those of `config.json`. */
  readonly configured?: boolean;
  readonly metricConfig: readonly MetricAnswer[];
  readonly subClusters: readonly SubClusterAnswer[];
}

/** web R2. */
export interface ClustersAnswer {
  readonly clusters: readonly ClusterAnswer[];
}

export interface TagAnswer {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly scope: string;
}

export type LevelName =
  | "over-peak"
  | "alert"
  | "caution"
  | "normal"
  | "above-normal"
  | "none";

/** One footprint of a job: a statistic of a metric over all of it. */
export interface FootprintAnswer {
  readonly metric: string;
  readonly stat: string;
  readonly value: number;
  readonly level: LevelName;
}

export interface ResourceAnswer {
  readonly hostname: string;
  readonly configuration?: string;
  readonly hwthreads?: readonly number[];
  readonly accelerators?: readonly string[];
}

/** A row of web R7. */
export interface JobRowAnswer {
  /** Key of the row; in page paths. */
  readonly id: number;
  readonly jobId: string;
  readonly arrayJobId?: string;
  readonly name: string;
  readonly user: string;
  readonly project: string;
  readonly cluster: string;
  readonly subCluster: string;
  readonly partition: string;
  readonly state: string;
  readonly shared: string;
  /** 0 not monitored, 1 running or waiting for the archive, 2 failed, 3 archived. */
  readonly monitoringStatus: number;
  readonly submitTime: number;
  readonly startTime: number;
  readonly duration: number;
  readonly walltime: number;
  readonly numNodes: number;
  readonly numHwthreads: number;
  readonly numAcc: number;
  /** kWh. */
  readonly energy: number;
  readonly tags: readonly TagAnswer[];
  readonly footprint: readonly FootprintAnswer[];
  /** When the footprint was taken; absent: at the end. */
  readonly footprintSec?: number;
  /** The staff's note; `""`: none. */
  readonly note: string;
}

/** web R7. */
export interface JobsAnswer {
  readonly jobs: readonly JobRowAnswer[];
  /** For `after`; absent: this is the last page. */
  readonly next?: string;
  /** For `before`; absent: this is the first page. */
  readonly previous?: string;
  /** Full names of the users on this page. */
  readonly users: Readonly<Record<string, string>>;
  /** When some of the jobs are not in the index yet: from when on they are. */
  readonly indexedSince?: number;
}

/** web R8. */
export interface JobCountAnswer {
  readonly count: number;
  readonly exact: boolean;
  readonly tookMs: number;
}

export interface StatisticsOfMetric {
  readonly unit: UnitAnswer;
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

/** web R12. */
export interface JobAnswer {
  readonly job: JobRowAnswer;
  /** Full name of the user; `""`: not known. */
  readonly fullName: string;
  readonly metaData: Readonly<Record<string, string>>;
  readonly resources: readonly ResourceAnswer[];
  /** By metric; of archived jobs. */
  readonly statistics: Readonly<Record<string, StatisticsOfMetric>>;
  /** Jobs on its nodes at the same time; users get the count alone. */
  readonly sharedWith: {
    readonly count: number;
    readonly jobs?: readonly {
      readonly id: number;
      readonly jobId: string;
      readonly user: string;
    }[];
  };
  /** Neighbours in the list of this user's jobs, by start. */
  readonly previous?: number;
  readonly next?: number;
  readonly archive: {
    readonly state: "memory" | "waiting" | "archived" | "failed" | "disabled";
    readonly tries?: number;
    readonly reason?: string;
  };
  /** Hosts that sent nothing of a metric, by metric. */
  readonly missing: Readonly<Record<string, readonly string[]>>;
  /** Metrics that the job has, in the order of the configuration. */
  readonly metrics: readonly MetricAnswer[];
}

/** web R6, the body. */
export interface JobSeriesRequest {
  readonly metrics: readonly string[];
  /** Absent: `node`. */
  readonly scope?: string;
  readonly points?: number;
  readonly from?: number;
  readonly to?: number;
  readonly hosts?: readonly string[];
  /** `each`: every series; `band`: min, mean and max of each step. */
  readonly combine?: "each" | "band";
}

/** Host, id (`""`: the node), min, avg, max. */
export type StatisticsRow = readonly [
  host: string,
  id: string,
  min: number,
  avg: number,
  max: number,
];

/** web R13. */
export interface StatisticsAnswer {
  readonly metrics: readonly {
    readonly name: string;
    readonly unit: UnitAnswer;
    readonly scope: string;
    readonly rows: readonly StatisticsRow[];
  }[];
}

/** web R16. */
export interface TagsAnswer {
  readonly tags: readonly (TagAnswer & { readonly jobs: number })[];
}

/** Answers of the job API as schemas, for its document. */
import { z } from "zod";
import { JOB_STATES, SHARED_KINDS } from "../../db/job_row.ts";

const tagSchema = z.object({
  type: z.string(),
  name: z.string(),
  scope: z.string(),
  id: z.int(),
}).meta({ id: "Tag" });

const unitSchema = z.object({
  base: z.string(),
  prefix: z.string().optional(),
}).meta({ id: "Unit" });

const resourceSchema = z.object({
  hostname: z.string(),
  configuration: z.string().optional(),
  hwthreads: z.array(z.int()).optional().describe("Absent: the whole node."),
  accelerators: z.array(z.string()).optional(),
}).meta({ id: "Resource" });

const statisticsSchema = z.object({
  unit: unitSchema,
  avg: z.number(),
  min: z.number(),
  max: z.number(),
}).meta({ id: "JobStatistics" });

export const jobSchema = z.object({
  id: z.int().describe("Of the database; never used again."),
  jobId: z.int().meta({ format: "int64" }).describe("Of the batch system."),
  cluster: z.string(),
  subCluster: z.string(),
  partition: z.string().optional(),
  project: z.string(),
  user: z.string(),
  shared: z.enum(SHARED_KINDS),
  jobState: z.enum(JOB_STATES),
  tags: z.array(tagSchema).optional(),
  resources: z.array(resourceSchema),
  energyFootprint: z.null(),
  footprint: z.record(z.string(), z.number()).nullable(),
  metaData: z.record(z.string(), z.string()).nullable(),
  concurrentJobs: z.object({ items: z.null(), count: z.int() }),
  energy: z.number().describe("kWh."),
  arrayJobId: z.int().meta({ format: "int64" }).optional(),
  walltime: z.int().optional().describe("Seconds."),
  requestedMemory: z.int().optional().describe("MB."),
  duration: z.int().describe("Seconds; of a running job, until now."),
  smt: z.int().optional(),
  monitoringStatus: z.int().describe(
    "0 off, 1 running or archiving, 2 archiving failed, 3 archived.",
  ),
  numAcc: z.int().optional(),
  numHwthreads: z.int().optional(),
  numNodes: z.int(),
  statistics: z.record(z.string(), statisticsSchema).nullable(),
  submitTime: z.int().optional().describe("Unix seconds."),
  startTime: z.int().describe("Unix seconds."),
}).meta({ id: "Job" });

export const jobListSchema = z.object({
  jobs: z.array(jobSchema),
  items: z.int().describe("Jobs on a page at the most."),
  page: z.int(),
}).meta({ id: "JobList" });

export const usedNodesSchema = z.object({
  usedNodes: z.record(z.string(), z.array(z.string())).describe(
    "Names of nodes by cluster.",
  ),
}).meta({ id: "UsedNodes" });

const seriesSchema = z.object({
  hostname: z.string(),
  id: z.string().optional(),
  statistics: z.object({
    min: z.number(),
    avg: z.number(),
    max: z.number(),
  }),
  data: z.array(z.number().nullable()),
});

const statisticsSeriesSchema = z.object({
  mean: z.array(z.number().nullable()).nullable(),
  median: z.array(z.number().nullable()).nullable(),
  min: z.array(z.number().nullable()).nullable(),
  max: z.array(z.number().nullable()).nullable(),
});

export const jobMetricSchema = z.object({
  unit: unitSchema,
  timestep: z.int().describe("Seconds between two values."),
  series: z.array(seriesSchema),
  statisticsSeries: statisticsSeriesSchema.optional(),
}).meta({ id: "JobMetric" });

export const jobWithDataSchema = z.object({
  Meta: jobSchema,
  Data: z.record(z.string(), z.record(z.string(), jobMetricSchema)).nullable()
    .describe("By metric and scope; null unless asked for."),
}).meta({ id: "JobWithData" });

export const jobWithMetricsSchema = z.object({
  Meta: jobSchema,
  Data: z.array(z.object({
    name: z.string(),
    scope: z.string(),
    metric: jobMetricSchema,
  })),
}).meta({ id: "JobWithMetrics" });

export const jobMetricsSchema = z.object({
  data: z.object({
    jobMetrics: z.array(z.object({
      name: z.string(),
      scope: z.string(),
      metric: jobMetricSchema,
    })),
  }).nullable(),
  error: z.object({ message: z.string() }).nullable(),
}).meta({ id: "JobMetrics" });

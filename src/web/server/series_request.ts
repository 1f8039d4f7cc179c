/** The body of a request for the series of a job (web R6). Pure. */
import { z } from "zod";
import { METRIC_SCOPES } from "../../config/clusters/metric_scope.ts";

/** Points of one array. */
export const POINTS_MAX = 2000;
export const POINTS_MIN = 100;
const POINTS = 600;
const METRICS_MAX = 128;
const HOSTS_MAX = 1024;
const NAME_CHARS_MAX = 1000;
/** Unix seconds of the year 5138. */
const TIME_MAX = 1e11;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const time = z.int().min(0).max(TIME_MAX);

export const jobSeriesSchema = z.strictObject({
  metrics: z.array(name).min(1).max(METRICS_MAX),
  scope: z.enum(METRIC_SCOPES).default("node").describe(
    "Metrics that are measured at a coarser one come with that.",
  ),
  points: z.int().min(POINTS_MIN).max(POINTS_MAX).default(POINTS).describe(
    "Of an array, at most.",
  ),
  from: time.optional().describe("Unix seconds; absent: the start of the job."),
  to: time.optional().describe("Unix seconds; absent: its end."),
  hosts: z.array(name).max(HOSTS_MAX).optional().describe(
    "Only these of the job; absent: all.",
  ),
  combine: z.enum(["each", "band"]).default("each").describe(
    "`each`: an array for each series; `band`: least, mean and largest of all at a time.",
  ),
}).meta({ id: "WebJobSeries" });

export type JobSeriesQuestion = z.output<typeof jobSeriesSchema>;

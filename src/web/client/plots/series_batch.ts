/**
 * Series of a job for several plots in one request: plots that want the same of
 * different metrics in the same moment are asked for together (web 15.14).
 */
import type { JobSeriesRequest } from "../../shared/answers.ts";
import { postFrame } from "../api.ts";
import { type PlotData, plotDataOf } from "./plot_data.ts";

type Want = Omit<JobSeriesRequest, "metrics">;

interface Waiting {
  readonly metric: string;
  readonly resolve: (data: PlotData) => void;
  readonly reject: (error: unknown) => void;
}

const METRICS_MAX = 32;
const GATHER_MS = 10;

const batches = new Map<string, Waiting[]>();

/** The series of one metric of a job. */
export function askJobSeries(
  id: number,
  metric: string,
  want: Want,
): Promise<PlotData> {
  const key = JSON.stringify([id, want]);
  return new Promise((resolve, reject) => {
    let batch = batches.get(key);
    if (batch === undefined) {
      batches.set(key, batch = []);
      setTimeout(() => send(key, id, want), GATHER_MS);
    }
    batch.push({ metric, resolve, reject });
  });
}

async function send(key: string, id: number, want: Want): Promise<void> {
  const all = batches.get(key) ?? [];
  batches.delete(key);
  for (let at = 0; at < all.length; at += METRICS_MAX) {
    const part = all.slice(at, at + METRICS_MAX);
    const metrics = [...new Set(part.map(({ metric }) => metric))];
    try {
      const frame = await postFrame(`jobs/${id}/series`, { ...want, metrics });
      for (const { metric, resolve } of part) {
        resolve(plotDataOf(frame, metric));
      }
    } catch (error) {
      for (const { reject } of part) reject(error);
    }
  }
}

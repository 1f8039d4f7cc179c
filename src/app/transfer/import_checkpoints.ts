/**
 * Moving in: the samples of upstream's checkpoint files are sent to a running
 * server, so that its own rules (log, retention, limits) hold for them as for
 * any others. Host by host: files in the order of their windows, the log last;
 * sample i of a file is `start + i * frequency` (metric-store 8.5), a record of
 * the log has a time of its own. The server puts each into the nearest slot of
 * its grid.
 */
import { CheckpointError, type StoredSeries } from "./checkpoint.ts";
import { readBinCheckpoint } from "./bin_checkpoint.ts";
import {
  type CheckpointFile,
  type CheckpointTree,
  findCheckpoints,
  type HostFiles,
} from "./checkpoint_files.ts";
import type { ImportTally } from "./import_tally.ts";
import { readJsonCheckpoint } from "./json_checkpoint.ts";
import { LEVEL_TYPES } from "../../metricstore/parquet/level_names.ts";
import { type LineSeries, SampleSender } from "./sample_sender.ts";
import type { StoreClient } from "./store_client.ts";
import { readWal } from "./wal_reader.ts";

export interface ImportOptions {
  readonly directory: string;
  /** `undefined`: all clusters. */
  readonly cluster: string | undefined;
  /** Further types of levels whose names are followed by an id. */
  readonly types: readonly string[];
}

/** How far an import is; sizes in bytes of files. */
export interface ImportProgress {
  readonly doneBytes: number;
  readonly allBytes: number;
  readonly samples: number;
}

/**
 * Imports everything there is and counts it in `tally`, which is right up to where
 * it stopped also when this throws: a `StoreError`, or what the system says of the
 * directory.
 */
export async function importCheckpoints(
  client: StoreClient,
  options: ImportOptions,
  tally: ImportTally,
  onProgress: (progress: ImportProgress) => void,
): Promise<void> {
  const tree = findCheckpoints(options.directory, options.cluster);
  tally.skippedFiles.push(...tree.skipped);
  const types = [...LEVEL_TYPES, ...options.types];
  const sender = new SampleSender(client, tally, types);
  const allBytes = sizeOf(tree);
  let doneBytes = 0;
  for (const host of tree.hosts) {
    for (const file of host.files) {
      await importFile(host, file, sender, tally);
      doneBytes += file.bytes;
      onProgress({ doneBytes, allBytes, samples: tally.samples });
    }
  }
  await sender.finish();
}

function sizeOf(tree: CheckpointTree): number {
  return tree.hosts.flatMap(({ files }) => files)
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

async function importFile(
  host: HostFiles,
  { path, kind }: CheckpointFile,
  sender: SampleSender,
  tally: ImportTally,
): Promise<void> {
  let bytes: Uint8Array;
  let series: StoredSeries[] = [];
  try {
    bytes = await Deno.readFile(path);
    if (kind === "json") {
      series = readJsonCheckpoint(new TextDecoder().decode(bytes));
    } else if (kind === "bin") series = readBinCheckpoint(bytes);
  } catch (error) {
    const isOfFile = error instanceof CheckpointError ||
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (!isOfFile) throw error;
    tally.damagedFiles.push({ path, why: error.message });
    return;
  }
  if (kind === "wal") await sendLog(host, path, bytes, sender, tally);
  for (const one of series) await sendSeries(host, one, sender);
  tally.files[kind]++;
}

async function sendSeries(
  { cluster, host }: HostFiles,
  { levels, metric, startSec, frequencySec, values }: StoredSeries,
  sender: SampleSender,
): Promise<void> {
  const series = sender.series({ cluster, host, levels, metric });
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined || Number.isNaN(value)) continue;
    const wait = sender.add(series, value, startSec + i * frequencySec);
    if (wait !== undefined) await wait;
  }
}

async function sendLog(
  { cluster, host }: HostFiles,
  path: string,
  bytes: Uint8Array,
  sender: SampleSender,
  tally: ImportTally,
): Promise<void> {
  const known = new Map<string, LineSeries>();
  for (const record of readWal(bytes)) {
    if ("gapAt" in record) {
      tally.gaps.push({ ...record, path });
      continue;
    }
    const { levels, metric, value, timestampSec } = record;
    if (Number.isNaN(value)) continue;
    const name = [metric, ...levels].join("\0");
    let series = known.get(name);
    if (series === undefined) {
      series = sender.series({ cluster, host, levels, metric });
      known.set(name, series);
    }
    const wait = sender.add(series, value, timestampSec);
    if (wait !== undefined) await wait;
  }
}

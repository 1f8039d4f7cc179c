/**
 * Finds upstream's files below a checkpoint directory (metric-store 8.1) and
 * says what else lies there. Reads directories only.
 *
 *     <directory>/<cluster>/<host>/<window start>.json | .bin | current.wal
 */
import { basename } from "node:path";

export type FileKind = "json" | "bin" | "wal";

export interface CheckpointFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly bytes: number;
}

/** The files of one host in the order they are to be imported: the log last. */
export interface HostFiles {
  readonly cluster: string;
  readonly host: string;
  readonly files: readonly CheckpointFile[];
}

export interface SkippedFile {
  readonly path: string;
  readonly why: string;
}

export interface CheckpointTree {
  readonly hosts: readonly HostFiles[];
  readonly skipped: readonly SkippedFile[];
}

/** Our own files in the same directory. */
const OWN_DIRECTORY = "ringstore";
const LOG_NAME = "current.wal";

/** `cluster` undefined: all clusters. Throws what the system says. */
export function findCheckpoints(
  directory: string,
  cluster: string | undefined,
): CheckpointTree {
  const hosts: HostFiles[] = [];
  const skipped: SkippedFile[] = [];
  for (const entry of list(directory)) {
    if (!entry.isDirectory) {
      skipped.push({ path: entry.path, why: misplaced(entry.path) });
    } else if (entry.name === OWN_DIRECTORY) {
      skipped.push({ path: entry.path, why: "files of this program" });
    } else if (cluster === undefined || entry.name === cluster) {
      findHosts(entry, hosts, skipped);
    }
  }
  return { hosts, skipped };
}

function findHosts(
  cluster: Entry,
  hosts: HostFiles[],
  skipped: SkippedFile[],
): void {
  for (const entry of list(cluster.path)) {
    if (!entry.isDirectory) {
      skipped.push({ path: entry.path, why: misplaced(entry.path) });
      continue;
    }
    const files = findFiles(entry.path, skipped);
    if (files.length > 0) {
      hosts.push({ cluster: cluster.name, host: entry.name, files });
    }
  }
}

function findFiles(
  directory: string,
  skipped: SkippedFile[],
): CheckpointFile[] {
  const files: (CheckpointFile & { readonly startSec: number })[] = [];
  for (const { path, name, bytes, isDirectory } of list(directory)) {
    const match = /^(\d+)\.(json|bin)$/.exec(name);
    if (isDirectory) skipped.push({ path, why: "a directory below a host" });
    else if (match !== null) {
      const kind = match[2] === "json" ? "json" : "bin";
      files.push({ path, kind, bytes, startSec: Number(match[1]) });
    } else if (name === LOG_NAME) {
      files.push({ path, kind: "wal", bytes, startSec: Infinity });
    } else skipped.push({ path, why: unknownFile(name) });
  }
  // Numbers, because names of different lengths sort otherwise as text.
  return files.sort((a, b) =>
    a.startSec === b.startSec ? 0 : a.startSec - b.startSec
  ).map(({ path, kind, bytes }) => ({ path, kind, bytes }));
}

function misplaced(path: string): string {
  const name = basename(path);
  return name === LOG_NAME || /^\d+\.(json|bin)$/.test(name)
    ? "samples that had no host or no cluster"
    : unknownFile(name);
}

function unknownFile(name: string): string {
  if (name.endsWith(".tmp")) return "left over from an unfinished write";
  if (/\.(parquet|avro)$/.test(name)) return "archive, not a checkpoint";
  return "not a checkpoint";
}

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly isDirectory: boolean;
  readonly bytes: number;
}

/** Sorted by name; links are followed. What vanishes meanwhile is left out. */
function list(directory: string): Entry[] {
  const entries: Entry[] = [];
  for (const { name } of Deno.readDirSync(directory)) {
    const path = `${directory.replace(/\/+$/, "")}/${name}`;
    try {
      const { isDirectory, size } = Deno.statSync(path);
      entries.push({ path, name, isDirectory, bytes: size });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

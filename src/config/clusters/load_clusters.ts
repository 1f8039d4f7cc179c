/**
 * Reads the configurations of all clusters from the job archive (job-api 5 and
 * 6). Once at start, main thread.
 *
 * Where the directory does not exist there are no clusters and nothing is made:
 * a server that is only a metric store needs no archive. `prepareArchive` makes
 * the directory once something is to be stored in it.
 */
import { ConfigError } from "../settings/config_error.ts";
import type { ConfigNote } from "../settings/notes.ts";
import { DENO_FILES } from "../../metricstore/persist/files.ts";
import { groupFiles } from "../../metricstore/persist/group_files.ts";
import { archiveEntries, checkArchiveVersion } from "./archive_version.ts";
import type { Cluster } from "./cluster.ts";
import { ClusterCatalog } from "./cluster_catalog.ts";
import { readClusterFile } from "./cluster_file.ts";

/** Directories that file systems make by themselves. */
const NOT_CLUSTERS = ["lost+found"];

export interface LoadedClusters {
  readonly catalog: ClusterCatalog;
  /** To be logged. */
  readonly notes: readonly ConfigNote[];
}

/**
 * Every directory in the archive is one of a cluster. Throws a
 * {@linkcode ConfigError} with the problems of all files that cannot be used.
 */
export function loadClusters(
  directory: string,
  keepsGroup = false,
): LoadedClusters {
  try {
    checkArchiveVersion(
      directory,
      keepsGroup ? groupFiles(directory) : DENO_FILES,
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { catalog: new ClusterCatalog([]), notes: [] };
  }
  const clusters = new Map<string, Cluster>();
  const notes: ConfigNote[] = [];
  const problems = [];
  for (const folder of clusterFolders(directory)) {
    const file = `${directory}/${folder}/cluster.json`;
    try {
      const read = readClusterFile(file);
      const { name } = read.cluster;
      if (clusters.has(name)) {
        problems.push({
          file,
          line: 0,
          column: 0,
          path: "name",
          found: `got ${JSON.stringify(name)} again`,
          expected: "a name that no other cluster has",
        });
      }
      clusters.set(name, read.cluster);
      notes.push(...read.notes, ...otherName(file, folder, name));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { catalog: new ClusterCatalog([...clusters.values()]), notes };
}

/**
 * The configuration of one cluster of an archive that is not ours. Throws a
 * {@linkcode ConfigError} where a server would not start with it, or would not find
 * the jobs that lie beside it.
 */
export function checkClusterFolder(directory: string, folder: string): void {
  const file = `${directory}/${folder}/cluster.json`;
  const { name } = readClusterFile(file).cluster;
  if (name === folder) return;
  throw new ConfigError([{
    file,
    line: 0,
    column: 0,
    path: "name",
    found: `got ${JSON.stringify(name)}`,
    expected: `${JSON.stringify(folder)}, the name of its directory`,
  }]);
}

/** The names of the directories that have to be those of clusters. */
export function clusterFolders(directory: string): string[] {
  return archiveEntries(directory)
    .filter((entry) =>
      entry.isDirectory ||
      entry.isSymlink && Deno.statSync(`${directory}/${entry.name}`).isDirectory
    )
    .map(({ name }) => name)
    .filter((name) => !NOT_CLUSTERS.includes(name));
}

/** Jobs are stored below the name in the file. */
function otherName(
  file: string,
  folder: string,
  name: string,
): ConfigNote[] {
  return folder === name ? [] : [{
    level: "warn",
    message: `${file}: names the cluster ${JSON.stringify(name)}, its jobs ` +
      `are not looked for in ${JSON.stringify(folder)}`,
  }];
}

/** Reads archived Parquet files back, with a reader that is not the writer. */
import { zstdDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";

export interface ArchivedRow {
  readonly cluster: string;
  readonly hostname: string;
  readonly metric: string;
  readonly scope: string;
  readonly scope_id: string;
  readonly parent_scope: string | null;
  readonly parent_scope_id: string | null;
  readonly timestamp: bigint;
  readonly frequency: bigint;
  readonly value: number;
}

export interface ArchivedFile {
  readonly limitSec: number;
  readonly rows: readonly ArchivedRow[];
}

/** The finished files of a directory, by limit; none where it does not exist. */
export async function readArchive(directory: string): Promise<ArchivedFile[]> {
  const files: ArchivedFile[] = [];
  for (const name of archivedNames(directory)) {
    const limitSec = Number(/^(\d+)\.parquet$/.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(limitSec)) continue;
    const file = (await Deno.readFile(`${directory}/${name}`)).buffer;
    const rows = await parquetReadObjects({
      file,
      compressors: { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) },
    });
    files.push({ limitSec, rows: rows as unknown as ArchivedRow[] });
  }
  return files.sort((a, b) => a.limitSec - b.limitSec);
}

/** Names in a cluster's directory, also of unfinished files. */
export function archivedNames(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The commands that move samples in and out, and the one that counts before. */
import {
  type ExportedHost,
  exportHost,
  listHosts,
} from "../transfer/export_samples.ts";
import { createWriter } from "../transfer/export_writers.ts";
import { estimate, estimateLines } from "../transfer/estimate.ts";
import { importCheckpoints } from "../transfer/import_checkpoints.ts";
import { ImportTally } from "../transfer/import_tally.ts";
import type { CommandLine } from "./command_line.ts";
import { printError, printLine, writeBytes, writeOutput } from "./output.ts";
import { ProgressDisplay } from "./progress.ts";
import { connect } from "./server_choice.ts";

/**
 * `import`: says what became of everything, also when it breaks off. Throws what
 * ended it, or that something was refused.
 */
export async function runImport(
  line: CommandLine & { command: "import" },
): Promise<void> {
  const client = await connect(line.server, line.configFile, "api");
  const tally = new ImportTally();
  const progress = new ProgressDisplay("samples");
  try {
    await importCheckpoints(
      client,
      line,
      tally,
      ({ doneBytes, allBytes, samples }) =>
        progress.show({ done: doneBytes, all: allBytes, count: samples }),
    );
  } finally {
    progress.end();
    printLine(`import of ${line.directory} into ${client.url}`);
    tally.lines().forEach(printLine);
  }
  if (tally.samples === 0 && tally.isComplete) {
    throw new Error(`there are no samples below ${line.directory}`);
  }
  if (!tally.isComplete) {
    throw new Error(
      `${tally.refusedCount} samples refused, ${tally.damagedFiles.length} files damaged`,
    );
  }
}

/** `export`: the samples go to the file or standard output, remarks to standard error. */
export async function runExport(
  line: CommandLine & { command: "export" },
): Promise<void> {
  const { cluster, out } = line;
  if (out === undefined && line.format !== "line" && isTerminal()) {
    throw new Error(`${line.format} is not for a terminal: give --out FILE`);
  }
  const client = await connect(line.server, line.configFile, "admin");
  const names = line.hosts.length > 0
    ? [...new Set(line.hosts)].sort()
    : await listHosts(client, cluster);
  const file = out === undefined ? undefined : new OutputFile(out);
  const sink = (bytes: Uint8Array) =>
    file === undefined ? writeOutput(bytes) : file.write(bytes);
  let hosts = 0;
  let samples = 0;
  try {
    const writer = createWriter(line.format, cluster, sink, line.types);
    for (const name of names) {
      const host = await exportHost(client, cluster, name, line);
      if (host === undefined) {
        printError(`no such host: ${name}`);
        continue;
      }
      const unwritable = writer.add(host);
      if (unwritable > 0) {
        printError(`${name}: ${unwritable} samples have names for no line`);
      }
      hosts++;
      samples += samplesOf(host) - unwritable;
    }
    if (hosts === 0) {
      throw new Error(`${client.url} knows no such host of cluster ${cluster}`);
    }
    writer.finish();
    file?.keep();
  } finally {
    file?.close();
  }
  printError(`${samples} samples of ${hosts} hosts`);
}

/** `estimate`: the table. */
export function printEstimate(
  line: CommandLine & { command: "estimate" },
): void {
  estimateLines(estimate(line)).forEach(printLine);
}

function samplesOf({ series }: ExportedHost): number {
  return series.reduce((sum, { values }) => sum + values.length, 0);
}

function isTerminal(): boolean {
  return Deno.stdout.isTerminal();
}

/** A file that gets its name once it is whole. */
class OutputFile {
  readonly #path: string;
  readonly #partPath: string;
  readonly #file: Deno.FsFile;
  #isKept = false;

  constructor(path: string) {
    this.#path = path;
    this.#partPath = `${path}.part`;
    try {
      this.#file = Deno.openSync(this.#partPath, {
        write: true,
        create: true,
        truncate: true,
      });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
      throw new Error(
        `may not write ${path}: files below ./var only, or leave out --out and redirect the output`,
        { cause },
      );
    }
  }

  write(bytes: Uint8Array): void {
    writeBytes(this.#file, bytes);
  }

  /** Nothing more is written. */
  keep(): void {
    this.#file.syncDataSync();
    Deno.renameSync(this.#partPath, this.#path);
    this.#isKept = true;
  }

  close(): void {
    this.#file.close();
    if (!this.#isKept) Deno.removeSync(this.#partPath);
  }
}

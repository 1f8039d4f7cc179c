/**
 * Lines that a service wrote, out of the systemd journal. Reads no more than it was
 * asked for, and gives up after some seconds. Needs `--allow-run=journalctl`, which
 * the start task does not have: who wants it adds it. Main thread.
 */
import { errorText } from "../../base/log.ts";
import { ClientError } from "../../base/errors.ts";

const TIMEOUT_MS = 10_000;

export interface JournalQuestion {
  readonly unit: string;
  /** As `journalctl --since` takes it. */
  readonly since: string;
  readonly lines: number;
  /** Only this priority and more urgent ones, 0 to 7; absent: all. */
  readonly level?: number | undefined;
  /** Only lines in which this occurs; `""`: all. */
  readonly search: string;
}

export interface JournalLine {
  /** Microseconds since the epoch, as text. */
  readonly timestamp: string;
  readonly priority: number;
  readonly message: string;
  readonly unit: string;
}

/** Rejects with `E_NOT_FOUND` where there is no journal to be read. */
export async function readJournal(
  question: JournalQuestion,
): Promise<JournalLine[]> {
  const text = await run(argumentsOf(question));
  return text.split("\n").filter(Boolean).map((line) =>
    journalLine(JSON.parse(line), question.unit)
  );
}

function argumentsOf(
  { unit, since, lines, level, search }: JournalQuestion,
): string[] {
  return [
    "--no-pager",
    "--output=json",
    `--unit=${unit}`,
    `--since=${since}`,
    `--lines=${lines}`,
    ...(level === undefined ? [] : [`--priority=${level}`]),
    // The characters a search may have mean nothing in its patterns but the dot.
    ...(search === "" ? [] : [`--grep=${search.replaceAll(".", "\\.")}`]),
  ];
}

async function run(args: readonly string[]): Promise<string> {
  try {
    const { success, code, stdout, stderr } = await new Deno.Command(
      "journalctl",
      {
        args: [...args],
        stdin: "null",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
    ).output();
    const decoder = new TextDecoder();
    // It also ends with 1 where no line fits.
    if (success || (code === 1 && stderr.length === 0)) {
      return decoder.decode(stdout);
    }
    throw new Error(decoder.decode(stderr).trim() || `status ${code}`);
  } catch (cause) {
    throw new ClientError(
      "E_NOT_FOUND",
      `the journal cannot be read: ${errorText(cause)}`,
      { cause },
    );
  }
}

function journalLine(
  entry: Readonly<Record<string, unknown>>,
  unit: string,
): JournalLine {
  return {
    timestamp: String(entry["__REALTIME_TIMESTAMP"] ?? ""),
    priority: Number(entry["PRIORITY"] ?? 6),
    message: messageOf(entry["MESSAGE"]),
    unit: String(entry["_SYSTEMD_UNIT"] ?? unit),
  };
}

/** What is no UTF-8 comes as a list of bytes. */
function messageOf(value: unknown): string {
  return Array.isArray(value)
    ? new TextDecoder().decode(new Uint8Array(value))
    : String(value ?? "");
}

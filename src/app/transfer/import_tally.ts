/** What became of everything an import read, and how that is told. Pure. */
import type { WalGap } from "./wal_reader.ts";
import type { FileKind, SkippedFile } from "./checkpoint_files.ts";
import type { WriteOutcome } from "./store_client.ts";

/** Refused lines that are shown whole. */
const ERRORS_MAX = 10;
/** Skipped files and gaps that are listed by name. */
const LISTED_MAX = 20;

/** Why samples were not stored although nothing is wrong with the server. */
const SKIP_TEXTS: Readonly<Record<string, string>> = {
  "unknown-metric": "metric not configured",
  "too-old": "older than the server's retention-in-memory",
  "too-new": "further in the future than the server's max-future",
  "no-number": "an infinite value",
  "bad-name": "a name that no line can carry",
  "bad-time": "a time that is none",
  "too-deep": "more than two levels below the host",
};

export class ImportTally {
  readonly files: Record<FileKind, number> = { json: 0, bin: 0, wal: 0 };
  /** Values in the files. stored + skipped + refused, once all is sent. */
  samples = 0;
  stored = 0;
  readonly skipped = new Map<string, number>();
  readonly refused = new Map<string, number>();
  /** `cluster/metric` of what the server does not know, with samples. */
  readonly unknownMetrics = new Map<string, number>();
  readonly skippedFiles: SkippedFile[] = [];
  /** Files that should have been read and could not be. */
  readonly damagedFiles: SkippedFile[] = [];
  readonly gaps: (WalGap & { readonly path: string })[] = [];
  /** The first refused lines and the server's reasons. */
  readonly errors: string[] = [];

  get refusedCount(): number {
    return sum(this.refused);
  }

  /** Nothing was refused and every file was read. */
  get isComplete(): boolean {
    return this.refusedCount === 0 && this.damagedFiles.length === 0;
  }

  skip(reason: string, count: number): void {
    add(this.skipped, reason, count);
  }

  skipUnknown(cluster: string, metric: string, count: number): void {
    this.skip("unknown-metric", count);
    add(this.unknownMetrics, `${cluster}/${metric}`, count);
  }

  /** Adds the answer to a batch of lines. */
  addOutcome(outcome: WriteOutcome, text: string): void {
    this.stored += outcome.stored;
    for (const [reason, count] of Object.entries(outcome.skipped)) {
      this.skip(reason, count);
    }
    for (const [reason, count] of Object.entries(outcome.rejected)) {
      add(this.refused, reason, count);
    }
    if (outcome.errors.length === 0) return;
    const lines = text.split("\n");
    for (const { line, message } of outcome.errors) {
      if (this.errors.length === ERRORS_MAX) return;
      const why = message.replace(/^at line \d+: /, "");
      this.errors.push(`${lines[line - 1] ?? ""}: ${why}`);
    }
  }

  /** The summary, line by line. */
  lines(): string[] {
    const { json, bin, wal } = this.files;
    const out = [
      count(
        "files read",
        json + bin + wal,
        `${json} json, ${bin} bin, ${wal} wal`,
      ),
      count("samples in them", this.samples),
      count("stored", this.stored),
    ];
    for (const [reason, amount] of this.skipped) {
      out.push(count(`skipped, ${reason}`, amount, SKIP_TEXTS[reason]));
    }
    out.push(...listed(
      "  not configured",
      [...this.unknownMetrics].map(([name, amount]) => `${name}: ${amount}`),
    ));
    for (const [reason, amount] of this.refused) {
      out.push(count(`refused, ${reason}`, amount));
    }
    out.push(...listed("  refused", this.errors));
    if (this.refused.has("ambiguous-level")) {
      out.push("  --types names further types of levels, such as --types fs");
    }
    const gapBytes = this.gaps.reduce((all, gap) => all + gap.gapBytes, 0);
    if (this.gaps.length > 0) {
      out.push(count("gaps in logs", this.gaps.length, `${gapBytes} bytes`));
    }
    out.push(...listed(
      "  gap",
      this.gaps.map(({ path, gapAt, gapBytes, isTail }) =>
        `${path}: ${gapBytes} bytes at ${gapAt}${isTail ? ", the end" : ""}`
      ),
    ));
    const named = ({ path, why }: SkippedFile) => `${path}: ${why}`;
    out.push(...listed("damaged", this.damagedFiles.map(named)));
    out.push(...listed("passed over", this.skippedFiles.map(named)));
    return out;
  }
}

function count(what: string, amount: number, detail?: string): string {
  const text = `${what.padEnd(26)}${String(amount).padStart(12)}`;
  return detail === undefined ? text : `${text}  (${detail})`;
}

function listed(what: string, items: readonly string[]): string[] {
  const shown = items.slice(0, LISTED_MAX).map((item) => `${what}: ${item}`);
  const more = items.length - shown.length;
  return more > 0 ? [...shown, `${what}: ${more} more`] : shown;
}

function add(map: Map<string, number>, key: string, amount: number): void {
  if (amount > 0) map.set(key, (map.get(key) ?? 0) + amount);
}

function sum(map: ReadonlyMap<string, number>): number {
  return [...map.values()].reduce((a, b) => a + b, 0);
}

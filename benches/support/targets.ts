/**
 * The programs a benchmark talks to: ours, the upstream store, VictoriaMetrics,
 * and our front door reading and discarding. Each is a child process with its
 * own directory below `var`, removed when it stops.
 */
import { Child, freePort } from "../../tests/support/child.ts";
import { SAMPLE_PUBLIC_KEY, SAMPLE_TOKEN } from "../../tests/support/client.ts";
import {
  makeDirectory,
  type MetricEntry,
  programArguments,
  ROOT,
  workDirectory,
} from "../../tests/support/server.ts";

const START_MS = 30_000;
const VICTORIA_METRICS = "/usr/bin/victoria-metrics";

export type TargetKind = "ours" | "upstream" | "victoria-metrics" | "limit";

export interface Target {
  readonly kind: TargetKind;
  readonly port: number;
  /** Path and query of the write endpoint. */
  readonly writePath: string;
  /** Header lines each request needs, every one ended by CRLF. */
  readonly headerLines: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface TargetOptions {
  readonly metrics: Readonly<Record<string, MetricEntry>>;
  /** The binary of the upstream store, for that kind. */
  readonly peerCc?: string | undefined;
  /** Bytes that the limit answers a query with. */
  readonly answerBytes?: number;
  /** A broker, and the subject that ours takes samples from. */
  readonly nats?: { readonly address: string; readonly subject: string };
}

const BEARER = `Authorization: Bearer ${SAMPLE_TOKEN}\r\n`;

/** Whether the peer's Debian package is installed. */
export function victoriaMetricsInstalled(): boolean {
  try {
    return Deno.statSync(VICTORIA_METRICS).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Starts a fresh, empty one and resolves when it takes requests. */
export async function startTarget(
  kind: TargetKind,
  options: TargetOptions,
): Promise<Target> {
  const port = freePort();
  const directory = await makeDirectory();
  const start = await preparation(kind, port, directory, options);
  const child = new Child({ ...start.command, cwd: start.cwd ?? directory });
  async function stop(signal: Deno.Signal): Promise<void> {
    await child.stop(signal);
    await Deno.remove(directory, { recursive: true });
  }
  try {
    await child.untilAnswers(
      `http://127.0.0.1:${port}${start.probe.path}`,
      start.probe.status,
      START_MS,
    );
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
  return {
    kind,
    port,
    writePath: start.writePath,
    headerLines: start.headerLines,
    pid: child.pid,
    // Peers may save their data for long at a clean stop; nobody needs it.
    stop: () => stop(kind === "ours" ? "SIGTERM" : "SIGKILL"),
  };
}

interface Preparation {
  readonly command: { command: string; args: string[] };
  readonly cwd?: string;
  readonly writePath: string;
  readonly headerLines: string;
  /** A GET that answers with this status as soon as it is up. */
  readonly probe: { path: string; status: number };
}

async function preparation(
  kind: TargetKind,
  port: number,
  directory: string,
  options: TargetOptions,
): Promise<Preparation> {
  const configFile = `${directory}/config.json`;
  switch (kind) {
    case "ours":
    case "upstream": {
      if (kind === "upstream" && options.peerCc === undefined) {
        throw new Error("the upstream store needs --peer-cc PATH");
      }
      const ours = kind === "ours";
      const config = storeConfig(port, directory, options);
      const main = { ...config.main, db: `${directory}/job.db` };
      await Deno.writeTextFile(
        configFile,
        JSON.stringify(ours ? { ...config, main } : config),
      );
      const flags = ["-config", configFile];
      return {
        command: ours || options.peerCc === undefined
          ? {
            command: Deno.execPath(),
            args: [...programArguments(), ...flags],
          }
          : { command: options.peerCc, args: flags },
        ...(ours ? { cwd: workDirectory() } : {}),
        writePath: "/api/write",
        headerLines: BEARER,
        probe: ours
          ? { path: "/ready", status: 200 }
          : { path: "/api/query", status: 401 },
      };
    }
    case "victoria-metrics":
      return {
        command: {
          command: VICTORIA_METRICS,
          args: [
            `-httpListenAddr=127.0.0.1:${port}`,
            `-storageDataPath=${directory}/data`,
            "-retentionPeriod=12",
            "-influxSkipSingleField",
            "-search.latencyOffset=0s",
          ],
        },
        writePath: "/write?precision=s",
        headerLines: "",
        probe: { path: "/health", status: 200 },
      };
    case "limit":
      return {
        command: {
          command: Deno.execPath(),
          args: [
            "run",
            "--allow-net=127.0.0.1",
            `${ROOT}benches/support/discard_server.ts`,
            String(port),
            String(options.answerBytes ?? 0),
          ],
        },
        writePath: "/api/write",
        headerLines: BEARER,
        probe: { path: "/", status: 200 },
      };
  }
}

/** Understood by ours and upstream alike; workers are the default of each. */
function storeConfig(
  port: number,
  directory: string,
  { metrics, nats }: TargetOptions,
) {
  return {
    main: {
      addr: `127.0.0.1:${port}`,
      "jwt-public-key": SAMPLE_PUBLIC_KEY,
    },
    metrics,
    "metric-store": {
      "retention-in-memory": "48h",
      "memory-cap": 8,
      checkpoints: {
        "file-format": "wal",
        directory: `${directory}/checkpoints`,
      },
      ...(nats === undefined
        ? {}
        : { "nats-subscriptions": [{ "subscribe-to": nats.subject }] }),
    },
    ...(nats === undefined ? {} : { nats: { address: nats.address } }),
  };
}

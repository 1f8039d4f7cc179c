/** A real Prometheus on a free port, with samples that were written before its start. */
import { Child, freePort } from "./child.ts";
import type { RandomSeries } from "./promql_arbitrary.ts";
import { toolProgram } from "./tools.ts";

const START_MS = 30_000;

/** The answer to a query: its data, or why there is none. */
export interface PrometheusAnswer {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly PrometheusSeries[];
  };
}

export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

export class Prometheus implements AsyncDisposable {
  readonly #child: Child;
  readonly #directory: string;
  readonly #port: number;

  private constructor(child: Child, directory: string, port: number) {
    this.#child = child;
    this.#directory = directory;
    this.#port = port;
  }

  /** Resolves when it answers queries over these series. */
  static async start(series: readonly RandomSeries[]): Promise<Prometheus> {
    const directory = await Deno.makeTempDir({ prefix: "ringstore-prom-" });
    const input = `${directory}/samples.txt`;
    await Deno.writeTextFile(input, openMetrics(series));
    const { success, stderr } = await new Deno.Command(
      toolProgram("promtool"),
      {
        args: [
          ..."tsdb create-blocks-from openmetrics".split(" "),
          input,
          `${directory}/data`,
        ],
      },
    ).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    await Deno.writeTextFile(`${directory}/prometheus.yml`, "");
    const port = freePort();
    const child = new Child({
      command: toolProgram("prometheus"),
      args: [
        `--config.file=${directory}/prometheus.yml`,
        `--storage.tsdb.path=${directory}/data`,
        "--storage.tsdb.retention.time=100y",
        `--web.listen-address=127.0.0.1:${port}`,
      ],
    });
    const ready = `http://127.0.0.1:${port}/-/ready`;
    await child.untilAnswers(ready, 200, START_MS);
    return new Prometheus(child, directory, port);
  }

  /** Asks `query` or `query_range`. */
  async ask(
    endpoint: "query" | "query_range",
    parameters: Record<string, string>,
  ): Promise<PrometheusAnswer> {
    const response = await fetch(
      `http://127.0.0.1:${this.#port}/api/v1/${endpoint}`,
      { method: "POST", body: new URLSearchParams(parameters) },
    );
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function openMetrics(series: readonly RandomSeries[]): string {
  const lines: string[] = [];
  const sorted = series.toSorted((a, b) =>
    a.labels.__name__! < b.labels.__name__! ? -1 : 1
  );
  for (const { labels, timesMs, values } of sorted) {
    const pairs = Object.entries(labels).filter(([name]) => name !== "__name__")
      .map(([name, value]) => `${name}="${value}"`);
    timesMs.forEach((time, i) =>
      lines.push(
        `${labels.__name__}{${pairs.join(",")}} ${values[i]} ${time / 1000}`,
      )
    );
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

/**
 * Programs that some tests need beside Deno. Where one is missing its tests are left
 * out, so that the suite runs on a machine with nothing else; with
 * `REQUIRE_TOOLS=1`, as in `.ci/run`, they fail instead.
 */

interface Tool {
  /** The Debian package it comes in. */
  readonly package: string;
  /** Names on PATH, and full paths. */
  readonly places: readonly string[];
  /** What it is asked to see whether it is there; absent: `--version`. */
  readonly versionFlag?: string;
}

const TOOLS = {
  nats: {
    package: "nats-server",
    places: ["nats-server", "/usr/sbin/nats-server"],
  },
  prometheus: { package: "prometheus", places: ["prometheus"] },
  promtool: { package: "prometheus", places: ["promtool"] },
  nginx: {
    package: "nginx-light",
    places: ["nginx", "/usr/sbin/nginx"],
    versionFlag: "-v",
  },
  haproxy: {
    package: "haproxy",
    places: ["haproxy", "/usr/sbin/haproxy"],
    versionFlag: "-v",
  },
  systemd: { package: "systemd", places: ["systemd-analyze"] },
  browser: {
    package: "chromium",
    // Who starts it wants full paths.
    places: ["chromium", "chromium-browser", "google-chrome"]
      .map((name) => `/usr/bin/${name}`),
  },
} as const satisfies Record<string, Tool>;
export type ToolName = keyof typeof TOOLS;

/** The program; throws where there is none, saying how to get it. */
export function toolProgram(name: ToolName): string {
  const found = find(name);
  if (found !== undefined) return found;
  throw new Error(
    `this test needs ${name}: apt-get install ${TOOLS[name].package}`,
  );
}

/** Whether the program is on this machine. */
export function hasTool(name: ToolName): boolean {
  return find(name) !== undefined;
}

/** Registers a test that needs a program. */
export function toolTest(
  tool: ToolName,
  name: string,
  fn: () => void | Promise<void>,
): void {
  const isRequired = Deno.env.get("REQUIRE_TOOLS") === "1";
  const ignore = !isRequired && find(tool) === undefined;
  Deno.test({ name, fn, ignore });
}

const found = new Map<ToolName, string | undefined>();

function find(name: ToolName): string | undefined {
  if (!found.has(name)) {
    const { places, versionFlag = "--version" }: Tool = TOOLS[name];
    found.set(name, places.find((place) => runs(place, versionFlag)));
  }
  return found.get(name);
}

function runs(program: string, versionFlag: string): boolean {
  try {
    return new Deno.Command(program, { args: [versionFlag] }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

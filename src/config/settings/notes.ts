/**
 * Notes on a valid configuration: older spellings, and parts that this server does not
 * serve. Main thread, once at the start.
 */
import { type ConfigSource, isObject, type Json } from "./source.ts";
import { isLoopback } from "./address.ts";
import type { Config } from "./schema.ts";

export interface ConfigNote {
  readonly level: "info" | "warn";
  readonly message: string;
}

/** Older spellings of the documents, and where their values belong. */
const ALIASES: readonly (readonly [string[], string[]])[] = [
  [["main", "apiAllowedIPs"], ["main", "api-allowed-ips"]],
  [["jwts"], ["auth", "jwts"]],
];

/** Parts of cc-backend's configuration that are accepted and have no effect. */
const NOT_SERVED: readonly {
  readonly path: readonly string[];
  /** Whether this value asks for something; absent: any value does. */
  readonly asks?: (value: Json) => boolean;
}[] = [
  { path: ["ui"] },
  { path: ["auth", "ldap"] },
  { path: ["auth", "oidc"] },
  { path: ["archive", "kind"], asks: (kind) => kind !== "file" },
  { path: ["metric-store-external"] },
  { path: ["main", "enable-job-taggers"], asks: (on) => on === true },
  { path: ["main", "embed-static-files"], asks: (on) => on === true },
  { path: ["main", "static-files"], asks: (file) => file !== "" },
];

/**
 * Moves values from older spellings to where they belong, in the source.
 * Whether both are given is for the schema to find: the old key then stays.
 */
export function resolveAliases(source: ConfigSource): ConfigNote[] {
  const notes: ConfigNote[] = [];
  for (const [old, now] of ALIASES) {
    const value = source.at(old);
    const parent = place(source.value, now.slice(0, -1));
    const key = now.at(-1) ?? "";
    if (value === undefined || parent === undefined || key in parent) continue;
    parent[key] = value;
    const oldParent = place(source.value, old.slice(0, -1));
    delete oldParent?.[old.at(-1) ?? ""];
    notes.push({
      level: "info",
      message: `${old.join(".")} is an older spelling of ${now.join(".")}`,
    });
  }
  return notes;
}

/** The object at a path, made where it is missing. */
function place(
  top: { [key: string]: Json },
  path: readonly string[],
): { [key: string]: Json } | undefined {
  let object = top;
  for (const key of path) {
    const next = object[key] ??= {};
    if (!isObject(next)) return undefined;
    object = next;
  }
  return object;
}

/** Returns the notes on a configuration that was found valid. */
export function reviewConfig(
  source: ConfigSource,
  config: Config,
): ConfigNote[] {
  return [
    ...notServed(source),
    ...oddAggregations(source),
    ...openDoor(config),
    ...withoutBroker(config),
  ];
}

function notServed(source: ConfigSource): ConfigNote[] {
  const found = NOT_SERVED.filter(({ path, asks }) => {
    const value = source.at(path);
    return value !== undefined && (asks?.(value) ?? true);
  }).map(({ path }) => path.join("."));
  if (found.length === 0) return [];
  return [{
    level: "warn",
    message: `configured but not served: ${found.join(", ")}`,
  }];
}

function oddAggregations(source: ConfigSource): ConfigNote[] {
  const clusters = source.at(["clusters"]);
  const tables = [["metrics"]];
  if (isObject(clusters)) {
    for (const name of Object.keys(clusters)) {
      tables.push(["clusters", name, "metrics"]);
    }
  }
  const notes: ConfigNote[] = [];
  for (const path of tables) {
    const table = source.at(path);
    if (!isObject(table)) continue;
    for (const metric of Object.keys(table)) {
      const word = source.at([...path, metric, "aggregation"]);
      if (typeof word !== "string" || ["sum", "avg", ""].includes(word)) {
        continue;
      }
      notes.push({
        level: "warn",
        message: `${[...path, metric].join(".")}.aggregation: ` +
          `${JSON.stringify(word)} is not known and taken for null`,
      });
    }
  }
  return notes;
}

function openDoor({ main }: Config): ConfigNote[] {
  if (!main["disable-authentication"]) return [];
  const { host, port } = main.addr;
  return [{
    level: "warn",
    message: isLoopback(host)
      ? "main.disable-authentication: whoever can reach this machine's " +
        `port ${port} may read, write and delete everything`
      : "main.disable-authentication on an address of the network: EVERYBODY " +
        `who can reach ${host} port ${port} may read, write and delete everything`,
  }];
}

function withoutBroker(config: Config): ConfigNote[] {
  if (config.nats.address !== "") return [];
  const idle = [
    ...config["metric-store"]["nats-subscriptions"].length > 0
      ? ["metric-store.nats-subscriptions"]
      : [],
    ...config.main["api-subjects"] === undefined ? [] : ["main.api-subjects"],
  ];
  return idle.map((path) => ({
    level: "warn",
    message: `${path}: nothing comes without nats.address`,
  }));
}

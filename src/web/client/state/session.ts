/** The user, what they may see, and how they like to see it. */
import { computed, signal } from "@preact/signals";
import type {
  ClusterAnswer,
  ClustersAnswer,
  MetricAnswer,
  SessionAnswer,
} from "../../shared/answers.ts";
import { knownZone } from "../../shared/times.ts";
import { ApiError, getJson, postForm } from "../api.ts";

export const session = signal<SessionAnswer | undefined>(undefined);
export const clusters = signal<readonly ClusterAnswer[]>([]);
/** The server has newer pages than these. */
export const isOutdated = signal(false);

let build: string | undefined;

export async function loadSession(): Promise<void> {
  const answer = await getJson<SessionAnswer>("session");
  build ??= answer.build;
  if (answer.build !== build) isOutdated.value = true;
  session.value = answer;
  settings.value = { ...readBrowserSettings(), ...answer.settings };
}

export async function loadClusters(): Promise<void> {
  clusters.value = (await getJson<ClustersAnswer>("clusters")).clusters;
}

export function hasRole(...roles: string[]): boolean {
  const { value } = session;
  if (value === undefined) return false;
  if (!value.authentication) return true;
  return roles.some((role) => value.user.roles.includes(role));
}

export const isStaff = computed(() => hasRole("admin", "support"));

/** Metrics as they are in the sub-cluster of a job, in the order of the configuration. */
export function metricsOf(
  cluster: string,
  subCluster: string,
): readonly MetricAnswer[] {
  const found = clusters.value.find(({ name }) => name === cluster);
  const sub = found?.subClusters?.find(({ name }) => name === subCluster);
  return sub?.metricConfig ?? found?.metricConfig ?? [];
}

/** Whether a cluster has a `cluster.json`. */
export function isConfigured(name: string): boolean {
  return clusters.value.find((one) => one.name === name)?.configured !== false;
}

/** Settings by key, as saved; {@linkcode setting} knows their defaults. */
export const settings = signal<Readonly<Record<string, unknown>>>({});

const DEFAULTS = {
  "web.theme": "system",
  "web.density": "comfortable",
  "web.scheme": "cividis",
  "web.zone": "browser",
  "web.plotsPerRow": 0,
  "web.keys": true,
  "web.defaultCluster": "",
};
export type SettingKey = keyof typeof DEFAULTS;

/** A setting; one of a wrong type is as good as none. */
export function setting<K extends SettingKey>(key: K): typeof DEFAULTS[K] {
  const value = settings.value[key];
  return typeof value === typeof DEFAULTS[key]
    ? value as typeof DEFAULTS[K]
    : DEFAULTS[key];
}

const BROWSER_KEY = "ringstore.settings";

/** Settings of people whom no table knows, as after a login by token. */
function readBrowserSettings(): Record<string, unknown> {
  try {
    return JSON.parse(localStorage.getItem(BROWSER_KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** Keeps a setting with the user, or in the browser where the server has no place. */
export async function saveSetting(
  key: SettingKey,
  value: unknown,
): Promise<void> {
  settings.value = { ...settings.value, [key]: value };
  try {
    await postForm("/frontend/configuration/", {
      key,
      value: JSON.stringify(value),
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // 404: no table knows the user; 401: nobody signs in here (web 15.6).
    if (error.status !== 404 && error.status !== 401) throw error;
    const kept = { ...readBrowserSettings(), [key]: value };
    localStorage.setItem(BROWSER_KEY, JSON.stringify(kept));
  }
}

/** The zone that times are shown in. */
export const zone = computed(() => {
  const own = setting("web.zone");
  if (own === "utc") return "UTC";
  const named = own === "browser" ? session.value?.timeZone ?? "" : own;
  return knownZone(named) ??
    new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
});

/** The login that looks, and which clusters there are: what every page asks first (web R1, R2). Main thread. */
import { z } from "zod";
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { MetricTable } from "../../metricstore/engine/metric_engine.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { taggedJson } from "./entity_tag.ts";
import {
  type PageServices,
  type WebServices,
  webServices,
} from "./services.ts";
import { POINTS_MAX } from "./series_request.ts";
import type {
  ClusterAnswer,
  ClustersAnswer,
  PageLink,
  SessionAnswer,
} from "../shared/answers.ts";

/** Keys of settings that pages have; others are of other programs. */
const SETTINGS_PREFIX = "web.";

async function session(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { principal } = call;
  const web = webServices(services);
  const [account, kept, notice, firstSteps] = await Promise.all([
    services.accounts.users.get(principal.name),
    web.settingsOf(principal.name),
    readNotice(services.accounts.noticeFile),
    firstStepsOf(services, call),
  ]);
  const { projects } = services.access.user(principal.name) ?? { projects: [] };
  const answer: SessionAnswer = {
    user: {
      username: principal.name,
      name: account?.name ?? "",
      email: account?.email ?? "",
      roles: [...principal.roles],
      projects,
    },
    authentication: !web.isOpen,
    version: web.version,
    build: web.assets?.build ?? "",
    startedSec: web.startedSec,
    nowSec: Math.floor(call.nowMs / 1000),
    timeZone: web.config["time-zone"],
    notice,
    clusters: clusterNames(services),
    settings: { ...configuredSettings(web), ...pageSettings(kept) },
    features: {
      nats: services.nats !== undefined,
      journal: principal.has("admin"),
      machineState: services.jobs.machineStateDir !== "",
    },
    limits: {
      shortJobSec: web.shortJobSec,
      emissionConstant: web.emissionConstant,
      points: POINTS_MAX,
    },
    links: linksOf(web),
    ...(firstSteps === undefined ? {} : { firstSteps }),
  };
  const { nowSec: _, ...same } = answer;
  return taggedJson(call, answer, same);
}

/** Choices of the configuration, which hold until somebody chooses otherwise. */
function configuredSettings({ config }: WebServices): Record<string, unknown> {
  return {
    "web.defaultCluster": config["default-cluster"],
    "web.plotsPerRow": config["plots-per-row"],
    "web.jobViewMetrics": config["job-view-metrics"],
  };
}

function pageSettings(
  kept: ReadonlyMap<string, string>,
): Record<string, unknown> {
  return Object.fromEntries(
    [...kept].filter(([key]) => key.startsWith(SETTINGS_PREFIX))
      // Only JSON was taken.
      .map(([key, text]) => [key, JSON.parse(text)]),
  );
}

function linksOf({ config }: WebServices): PageLink[] {
  const { links, imprint, privacy } = config;
  return [
    ...links,
    ...(imprint === "" ? [] : [{ title: "Imprint", url: imprint }]),
    ...(privacy === "" ? [] : [{ title: "Privacy", url: privacy }]),
  ];
}

async function readNotice(file: string): Promise<string> {
  try {
    return (await Deno.readTextFile(file)).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Only administrators take them. */
async function firstStepsOf(
  services: PageServices,
  { principal }: ApiCall,
): Promise<SessionAnswer["firstSteps"]> {
  if (!principal.has("admin")) return undefined;
  const { engine, clusters, tables } = services.jobs;
  const sample = engine.clusters.names.length > 0;
  const [job] = await tables.jobs.list({}, { limit: 1 });
  return {
    // Without one nothing could have been stored.
    token: sample || services.access.hasTokens,
    sample,
    clusterFile: clusters.names.length > 0,
    job: job !== undefined,
  };
}

/** Configured ones, and those that only send; of no other instance's. */
function clusterNames(services: PageServices): string[] {
  const { clusters, engine } = services.jobs;
  return [...new Set([...clusters.names, ...engine.clusters.names])].sort();
}

function clusters(services: PageServices, call: ApiCall): ApiAnswer {
  const { jobs } = services;
  const { metrics } = webServices(services);
  const answer: ClustersAnswer = {
    clusters: clusterNames(services).map((name) =>
      clusterAnswer(jobs.clusters, metrics, name)
    ),
  };
  return taggedJson(call, answer);
}

function clusterAnswer(
  catalog: ClusterCatalog,
  metrics: MetricTable,
  name: string,
): ClusterAnswer {
  if (catalog.get(name) === undefined) return unconfigured(metrics, name);
  const [known] = catalog.toJson(name).clusters;
  return { ...known, configured: true } as unknown as ClusterAnswer;
}

/** A cluster without a `cluster.json` has metrics and nothing else (web 15.1). */
function unconfigured(
  { defaults, clusters }: MetricTable,
  name: string,
): ClusterAnswer {
  const own = Object.hasOwn(clusters, name) ? clusters[name] : {};
  return {
    name,
    configured: false,
    metricConfig: Object.entries({ ...defaults, ...own }).map((
      [metric, { frequencySec, aggregation }],
    ) => ({
      name: metric,
      unit: { base: "" },
      scope: "node",
      timestep: frequencySec,
      aggregation: aggregation ?? "",
      ...{ peak: 0, normal: 0, caution: 0, alert: 0 },
      lowerIsBetter: false,
    })),
    subClusters: [],
  };
}

const sessionSchema = z.looseObject({
  user: z.looseObject({ username: z.string() }),
  version: z.string(),
  build: z.string().describe("Differs where the pages differ."),
}).meta({ id: "WebSession" });

const clustersSchema = z.object({
  clusters: z.array(z.looseObject({ name: z.string() })),
}).meta({ id: "WebClusters" });

export function sessionRoutes(services: PageServices): readonly ApiRoute[] {
  const bind = bindTo(services);
  return [
    {
      kind: "api",
      group: "web",
      path: "/web/api/session",
      name: "web-session",
      operations: {
        GET: {
          id: "webSession",
          summary: "Who is logged in, and what pages must know of the server",
          answer: { type: JSON_TYPE, schema: sessionSchema },
          handle: bind(session),
        },
      },
    },
    {
      kind: "api",
      group: "web",
      path: "/web/api/clusters",
      name: "web-clusters",
      operations: {
        GET: {
          id: "webClusters",
          summary: "All known clusters and their metrics",
          answer: { type: JSON_TYPE, schema: clustersSchema },
          handle: bind(clusters),
        },
      },
    },
  ];
}

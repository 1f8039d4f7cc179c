/** Puts together what the pages need. Main thread, at start. */
import { VERSION } from "../../app/cli/version.ts";
import { nowSec } from "../../base/clock.ts";
import type { Setup } from "../../config/clusters/load_setup.ts";
import type { RemoteTables } from "../../db/remote.ts";
import { errorText, type Log } from "../../base/log.ts";
import { loadAssets, type PageAssets, PAGES_DIRECTORY } from "./assets.ts";
import { SeriesTurns } from "./series_turns.ts";
import type { WebServices } from "./services.ts";

export interface WebOptions {
  readonly setup: Pick<Setup, "metrics"> & {
    readonly config: Pick<Setup["config"], "main" | "web">;
  };
  readonly tables: Pick<RemoteTables, "configuration" | "users">;
  readonly log: Pick<Log, "err">;
  /** Where the built files are; absent: beside the sources. */
  readonly directory?: URL;
}

/** `undefined`: the configuration wants no pages. */
export function startWeb(
  { setup: { config, metrics }, tables, log, directory = PAGES_DIRECTORY }:
    WebOptions,
): WebServices | undefined {
  const { main, web } = config;
  if (!web.enabled) return undefined;
  return {
    config: web,
    shortJobSec: web["short-job"] ?? main["short-running-jobs-duration"],
    emissionConstant: web["emission-constant"] ?? main["emission-constant"],
    assets: assetsIn(directory, log),
    version: VERSION,
    startedSec: Math.floor(nowSec()),
    isOpen: main["disable-authentication"],
    settingsOf: (username) => tables.configuration.get(username),
    fullNames: (usernames) => tables.users.names(usernames),
    seriesTurns: new SeriesTurns(),
    metrics,
  };
}

/** Without pages there is still everything else. */
function assetsIn(
  directory: URL,
  log: WebOptions["log"],
): PageAssets | undefined {
  try {
    return loadAssets(directory);
  } catch (error) {
    log.err("there are no pages", { reason: errorText(error) });
    return undefined;
  }
}

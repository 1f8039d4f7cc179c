/** The server that a command talks to, and what it shows there. */
import type { Role } from "../../access/mod.ts";
import { KeyError } from "../../access/mod.ts";
import { findKeys, keyOrigins } from "../../access/keys.ts";
import { signToken } from "../../access/token.ts";
import { type Config, loadConfig } from "../../config/settings/mod.ts";
import { StoreClient } from "../transfer/store_client.ts";
import type { ServerChoice } from "./transfer_flags.ts";

/** Long enough for the largest transfer. */
const TOKEN_MAX_AGE_SEC = 24 * 3600;

/**
 * A client of the chosen server. The configuration is read only where it is
 * needed: for an address or a token that was not given.
 */
export async function connect(
  { url, token }: ServerChoice,
  configFile: string,
  role: Role,
): Promise<StoreClient> {
  if (url !== undefined && token !== undefined) {
    return new StoreClient(url, token);
  }
  const { config } = loadConfig(configFile);
  return new StoreClient(
    url ?? urlOf(config),
    token ?? await ownToken(config, role),
  );
}

function urlOf({ main }: Config): string {
  const { host, port } = main.addr;
  if (port === 0) {
    throw new Error("main.addr leaves the port open: give --url");
  }
  const scheme = main["https-cert-file"] === "" ? "http" : "https";
  const reachable = host === "0.0.0.0"
    ? "127.0.0.1"
    : host === "::"
    ? "::1"
    : host;
  const name = reachable.includes(":") ? `[${reachable}]` : reachable;
  return `${scheme}://${name}:${port}`;
}

/** `undefined`: the server asks for none. */
async function ownToken(
  { main }: Config,
  role: Role,
): Promise<string | undefined> {
  if (main["disable-authentication"]) return undefined;
  const keys = await findKeys(keyOrigins(main["jwt-public-key"]));
  try {
    return await signToken(keys, {
      user: "ringstore",
      roles: [role],
      maxAgeSec: TOKEN_MAX_AGE_SEC,
    });
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new Error("cannot sign a token, give --token", { cause });
  }
}

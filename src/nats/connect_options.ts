/** Turns the broker's configuration into the options of the client library. */
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import type { Config } from "../config/settings/mod.ts";

export type NatsSettings = Config["nats"];

/** A file that the configuration names cannot be used. */
export class NatsFileError extends Error {
  readonly code = "E_NATS_FILE";

  constructor(key: string, path: string, why: string, options?: ErrorOptions) {
    super(`nats.${key}: ${path} ${why}`, options);
    this.name = "NatsFileError";
  }
}

/**
 * Reads the files; throws a {@linkcode NatsFileError}. Asked before every
 * connection that is not a mere reconnection, so that files may be renewed.
 */
export function connectOptions(settings: NatsSettings): ConnectionOptions {
  const servers = settings.address.split(",").map((one) => one.trim())
    .filter((one) => one !== "");
  const authenticator = authenticatorOf(settings);
  const file = (
    key: "tls-ca-file" | "tls-cert-file" | "tls-key-file",
    name: "ca" | "cert" | "key",
  ) => settings[key] === "" ? {} : { [name]: readText(settings, key) };
  const tls = {
    ...file("tls-ca-file", "ca"),
    ...file("tls-cert-file", "cert"),
    ...file("tls-key-file", "key"),
  };
  // An object demands encryption; without one it is up to the broker.
  const isEncrypted = Object.keys(tls).length > 0 ||
    servers.some((one) => one.startsWith("tls://"));
  return {
    servers,
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(isEncrypted ? { tls } : {}),
  };
}

function authenticatorOf(settings: NatsSettings): Authenticator | undefined {
  if (settings.username !== "") {
    return usernamePasswordAuthenticator(settings.username, settings.password);
  }
  if (settings.token !== "") return tokenAuthenticator(settings.token);
  if (settings["creds-file-path"] !== "") {
    const text = readText(settings, "creds-file-path");
    if (!/BEGIN NATS USER JWT[\s\S]*BEGIN USER NKEY SEED/.test(text)) {
      throw badFile(settings, "creds-file-path", "holds no JWT and seed");
    }
    return credsAuthenticator(new TextEncoder().encode(text));
  }
  if (settings["nkey-file"] !== "") {
    const seed = /^S[A-Z2-7]{57}$/m.exec(readText(settings, "nkey-file"))?.[0];
    if (seed === undefined) {
      throw badFile(settings, "nkey-file", "holds no seed of an NKey");
    }
    return nkeyAuthenticator(new TextEncoder().encode(seed));
  }
  return undefined;
}

type FileKey =
  | "creds-file-path"
  | "nkey-file"
  | "tls-ca-file"
  | "tls-cert-file"
  | "tls-key-file";

function readText(settings: NatsSettings, key: FileKey): string {
  try {
    return Deno.readTextFileSync(settings[key]);
  } catch (cause) {
    throw badFile(settings, key, "cannot be read", { cause });
  }
}

function badFile(
  settings: NatsSettings,
  key: FileKey,
  why: string,
  options?: ErrorOptions,
): NatsFileError {
  return new NatsFileError(key, settings[key], why, options);
}

/** The commands that have to do with keys. */
import { findKeys, keyOrigins } from "../auth/keys.ts";
import { generateKeyPair } from "../auth/ed25519.ts";
import { signToken } from "../auth/token.ts";
import { loadConfig } from "../config/mod.ts";
import type { CommandLine } from "./command_line.ts";
import { printLine } from "./output.ts";

/** `gen-keypair`: three lines, as upstream's tool prints them. */
export async function printKeyPair(): Promise<void> {
  const pair = await generateKeyPair();
  printLine(`ED25519 PUBLIC_KEY="${pair.publicKey.base64}"`);
  printLine(`ED25519 PRIVATE_KEY="${pair.base64}"`);
  printLine("This is a key pair, not a token: `ringstore token` makes tokens.");
}

/** `token`: the token alone, so that `$(ringstore token …)` is one. */
export async function printToken(
  line: CommandLine & { command: "token" },
): Promise<void> {
  const { config } = loadConfig(line.configFile);
  const keys = await findKeys(keyOrigins(config.main["jwt-public-key"]));
  const maxAgeSec = line.maxAgeSec ?? config.auth.jwts["max-age"];
  const { user, roles } = line;
  printLine(await signToken(keys, { user, roles, maxAgeSec }));
}

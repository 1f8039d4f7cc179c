/** What it costs to find out who asks, for a token that was seen before. */
import { AccessState } from "../src/access/access_state.ts";
import { makeToken } from "../src/access/admin_token.ts";
import { CredentialAuthenticator } from "../src/access/authenticator.ts";
import { generateKeyPair } from "../src/access/ed25519.ts";
import { JwtVerifier } from "../src/access/jwt.ts";
import { Principal } from "../src/access/principal.ts";
import { Sessions } from "../src/access/sessions.ts";
import { signToken } from "../src/access/token.ts";

const TOKENS = 1000;

const pair = await generateKeyPair();
const access = new AccessState();
const tokens = Array.from({ length: TOKENS }, (_, i) => ({
  name: `token-${i}`,
  ...makeToken(`token-${i}`),
}));
access.replace({
  instances: [],
  policies: [{
    name: "writers",
    active: true,
    scopes: ["metrics:write"],
    realms: [{ instance: "*", cluster: "*", selectors: [] }],
    expiresSec: Infinity,
  }],
  tokens: tokens.map(({ name, secretHash }) => ({
    name,
    active: true,
    policy: "writers",
    secretHash,
    expiresSec: Infinity,
  })),
  users: [],
});
const authenticator = new CredentialAuthenticator({
  verifier: new JwtVerifier(pair.publicKey.key),
  access,
  sessions: new Sessions({ key: new Uint8Array(32), maxAgeSec: 1, access }),
  validateUser: false,
  refresh: () => Promise.resolve(),
});
const jwt = await signToken(
  { publicKey: pair.publicKey, privateKey: pair, madeIn: undefined },
  { user: "writer", roles: ["api"], maxAgeSec: undefined },
);
await authenticator.authenticate({ authorization: `Bearer ${jwt}` });

function ask(token: string): void {
  const found = authenticator.authenticate({
    authorization: `Bearer ${token}`,
  });
  if (!(found instanceof Principal)) throw new Error("it had to be looked up");
  found.dataScope("write", undefined);
}

let next = 0;

Deno.bench({
  name: "a JWT",
  group: "who asks",
  baseline: true,
  fn: () => ask(jwt),
});

Deno.bench({
  name: `one of ${TOKENS} tokens of the admin API`,
  group: "who asks",
  fn: () => ask(tokens[next++ % TOKENS]!.text),
});

/** The ways to show a broker who the server is, and TLS. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { nkeys } from "@nats-io/transport-node";
import { Broker } from "../support/broker.ts";
import { Child } from "../support/child.ts";
import { TestClient } from "../support/client.ts";
import { until, untilConnected } from "../support/nats.ts";
import { makeDirectory, ROOT, TestServer } from "../support/server.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

/** Runs until the broker resets a socket that the library let go: one of some dozen. */
const CLIENT = `${ROOT}tests/nats/refused_client.ts`;
const CERTIFICATES = `${ROOT}tests/http/testdata`;

function serve(nats: Readonly<Record<string, unknown>>): Promise<TestServer> {
  return TestServer.start({
    metrics: { load: { frequency: 1, aggregation: null } },
    sections: { nats },
  });
}

/** Starts a server with the right credentials, and one with wrong ones. */
async function check(
  settings: string,
  right: Readonly<Record<string, unknown>>,
  wrong: Readonly<Record<string, unknown>>,
): Promise<void> {
  await using broker = await Broker.start({ settings });
  const { address } = broker;
  await using server = await serve({ address, ...right });
  const client = new TestClient(server.url);
  try {
    await untilConnected(client);
  } finally {
    client.close();
  }
  await using stranger = await serve({ address, ...wrong });
  await until(
    "refusal in the log",
    () =>
      Promise.resolve(
        /no connection to NATS/.test(stranger.child.output) || undefined,
      ),
  );
  for (const value of Object.values({ ...right, ...wrong })) {
    if (String(value).includes("/")) continue;
    assert.ok(
      !`${server.child.output}${stranger.child.output}`.includes(String(value)),
      "a credential is in the log",
    );
  }
}

natsTest("a user name with its password opens the broker", async () => {
  await check(
    'authorization { user: "store-user", password: "pass-1" }',
    { username: "store-user", password: "pass-1" },
    { username: "store-user", password: "pass-2" },
  );
});

natsTest("a token opens the broker", async () => {
  await check(
    'authorization { token: "token-1" }',
    { token: "token-1" },
    { token: "token-2" },
  );
});

natsTest("the seed of an NKey opens the broker", async () => {
  const directory = await makeDirectory();
  try {
    const user = nkeys.createUser();
    const seed = (name: string, pair: typeof user) => {
      const path = `${directory}/${name}`;
      const text = new TextDecoder().decode(pair.getSeed());
      Deno.writeTextFileSync(path, `# a comment\n${text}\n`);
      return path;
    };
    await check(
      `authorization { users: [ { nkey: "${user.getPublicKey()}" } ] }`,
      { "nkey-file": seed("right.nk", user) },
      { "nkey-file": seed("wrong.nk", nkeys.createUser()) },
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** A JWT as brokers read them: signed with an NKey. */
function signedClaims(
  issuer: KeyPair,
  subject: KeyPair,
  nats: Readonly<Record<string, unknown>>,
): string {
  const part = (value: unknown) =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    jti: "test",
    iat: 1,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "test",
    nats: { version: 2, ...nats },
  };
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  const signature = issuer.sign(new TextEncoder().encode(text));
  return `${text}.${Buffer.from(signature).toString("base64url")}`;
}

natsTest("a credentials file opens the broker", async () => {
  const directory = await makeDirectory();
  try {
    const [operator, account, user, stranger] = [
      nkeys.createOperator(),
      nkeys.createAccount(),
      nkeys.createUser(),
      nkeys.createUser(),
    ];
    const unlimited = {
      limits: {
        subs: -1,
        conn: -1,
        leaf: -1,
        imports: -1,
        exports: -1,
        data: -1,
        payload: -1,
        wildcards: true,
      },
    };
    const userClaims = { type: "user", subs: -1, data: -1, payload: -1 };
    const file = (name: string, jwt: string, pair: KeyPair) => {
      const path = `${directory}/${name}`;
      const seed = new TextDecoder().decode(pair.getSeed());
      Deno.writeTextFileSync(
        path,
        `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n` +
          `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
      );
      return path;
    };
    const operatorJwt = `${directory}/operator.jwt`;
    Deno.writeTextFileSync(
      operatorJwt,
      signedClaims(operator, operator, { type: "operator" }),
    );
    const accountJwt = signedClaims(operator, account, {
      type: "account",
      ...unlimited,
    });
    const userJwt = signedClaims(account, user, userClaims);
    await check(
      `operator: "${operatorJwt}"\nresolver: MEMORY\n` +
        `resolver_preload: { ${account.getPublicKey()}: "${accountJwt}" }`,
      { "creds-file-path": file("right.creds", userJwt, user) },
      { "creds-file-path": file("wrong.creds", userJwt, stranger) },
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

natsTest(
  "TLS: the broker's certificate is checked, and the server shows its own",
  async () => {
    const file = (name: string) => `${CERTIFICATES}/${name}.pem`;
    const tls = `tls { cert_file: "${file("cert")}", key_file: "${
      file("key")
    }", ca_file: "${file("cert")}", verify: true }`;
    await check(tls, {
      "tls-ca-file": file("cert"),
      "tls-cert-file": file("cert"),
      "tls-key-file": file("key"),
    }, {});
  },
);

natsTest(
  "a server that is told of certificates does not talk to a broker without TLS",
  async () => {
    await check("", {}, { "tls-ca-file": `${CERTIFICATES}/cert.pem` });
  },
);

natsTest(
  "a credentials file that cannot be used stops the start and is named",
  async () => {
    const nats = { address: "nats://127.0.0.1:1", "nkey-file": "no/such.nk" };
    await assert.rejects(
      serve(nats),
      /nats\.nkey-file: no\/such\.nk cannot be read/,
    );
  },
);

natsTest(
  "a broker that refuses again and again, and resets connections, ends nothing",
  async () => {
    await using broker = await Broker.start({
      settings: 'authorization { user: "a", password: "b" }',
    });
    const client = new Child({
      command: Deno.execPath(),
      args: ["run", "--allow-net=127.0.0.1", CLIENT, broker.address],
      cwd: ROOT,
    });
    const timer = setTimeout(() => client.stop("SIGKILL"), 60_000);
    const { code } = await client.ended();
    clearTimeout(timer);
    assert.equal(code, 0, client.output);
  },
);

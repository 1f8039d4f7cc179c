/**
 * Whether a real browser can be made to change something by a page of another host,
 * over plain HTTP, where browsers do not send `Sec-Fetch-Site`. Two host names of one
 * site lead to this machine.
 */
import assert from "node:assert/strict";
import puppeteer, { type Page } from "puppeteer-core";
import { readCredentials, ringstore } from "./support/job_server.ts";
import { TestServer } from "./support/server.ts";
import { toolProgram, toolTest } from "./support/tools.ts";

const OURS = "metrics.hpc.test";
const NEIGHBOUR = "users.hpc.test";

toolTest(
  "browser",
  "a page of a neighbour host cannot use the session of an administrator, forms of our own can",
  async () => {
    const { publicKey, privateKey } = await readCredentials();
    await using server = await TestServer.start({
      main: { "jwt-public-key": publicKey },
      env: { JWT_PRIVATE_KEY: privateKey },
      metrics: { cpu_load: { frequency: 60, aggregation: "avg" } },
      prepare: async (_, configFile) => {
        const add = ["user", "add", "boss", "--roles", "admin"];
        await ringstore(add, configFile, "secret word\n");
      },
    });
    const ours = server.url.replace("127.0.0.1", OURS);
    await using attack = new Attack(`${ours}/config/users`);
    const browser = await puppeteer.launch({
      executablePath: toolProgram("browser"),
      args: [
        "--no-sandbox",
        `--host-resolver-rules=MAP *.hpc.test 127.0.0.1`,
      ],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`${ours}/login?redirect=/health`);
      await page.type("input[name=username]", "boss");
      await page.type("input[name=password]", "secret word");
      await Promise.all([page.waitForNavigation(), page.click("button")]);
      assert.equal(page.url(), `${ours}/health`);

      const [status, sent] = await submittedBy(page, attack.url, ours);
      assert.equal(sent["sec-fetch-site"], undefined, "plain HTTP");
      assert.equal(sent["origin"], new URL(attack.url).origin);
      assert.match(sent["cookie"] ?? "", /^session=/, "it is the same site");
      assert.equal(status, 403);
      assert.deepEqual(await userNames(page, ours), ["boss"]);

      await page.goto(`${ours}/health`);
      const made = page.waitForResponse(`${ours}/config/users`);
      await page.evaluate(`(${SUBMIT})("legitimate")`);
      assert.equal((await made).status(), 200);
      assert.deepEqual(await userNames(page, ours), ["boss", "legitimate"]);
    } finally {
      await browser.close();
    }
  },
);

/** Makes a user by a form of the page that is open. */
const SUBMIT = `(name) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/config/users";
  for (const [key, value] of [["username", name], ["password", "long enough"], ["role", "user"]]) {
    const input = document.createElement("input");
    input.name = key;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}`;

/** Opens a page whose form submits itself to ours; status and headers of what it sent. */
async function submittedBy(
  page: Page,
  url: string,
  ours: string,
): Promise<[number, Record<string, string>]> {
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  // What puppeteer tells of a request is without cookies.
  const headers = new Map<string, Record<string, string>>();
  session.on("Network.requestWillBeSentExtraInfo", (event) => {
    const lower = Object.entries(event.headers).map(([key, value]) =>
      [key.toLowerCase(), value] as const
    );
    headers.set(event.requestId, Object.fromEntries(lower));
  });
  const answered = Promise.withResolvers<[number, string]>();
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.url === `${ours}/config/users`) {
      answered.resolve([response.status, requestId]);
    }
  });
  await page.goto(url);
  const [status, id] = await answered.promise;
  await session.detach();
  return [status, headers.get(id) ?? {}];
}

async function userNames(page: Page, ours: string): Promise<string[]> {
  const answer = await page.goto(`${ours}/config/users`);
  const users: { username: string }[] = JSON.parse(await answer!.text());
  return users.map(({ username }) => username);
}

/** The neighbour: one page, whose form submits itself. */
class Attack implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(target: string) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response(
          `<form method="post" action="${target}">
<input name="username" value="csrfadmin"><input name="password" value="attacker">
<input name="role" value="admin"></form><script>document.forms[0].submit()</script>`,
          { headers: { "Content-Type": "text/html" } },
        ),
    );
  }

  get url(): string {
    return `http://${NEIGHBOUR}:${this.#server.addr.port}/x.html`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

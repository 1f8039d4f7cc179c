/** The pages as people see them, in a real browser. */
import assert from "node:assert/strict";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { readCredentials, ringstore } from "./support/job_server.ts";
import { type ServerOptions, TestServer } from "./support/server.ts";
import { toolProgram, toolTest } from "./support/tools.ts";

const browserTest = toolTest.bind(undefined, "browser");

/** A page of a browser of its own, and what the browser complained about. */
async function withPage(
  url: string,
  use: (page: Page, complaints: string[]) => Promise<void>,
): Promise<void> {
  const browser: Browser = await puppeteer.launch({
    executablePath: toolProgram("browser"),
    // Its sandbox does not start for root, as whom tests may run.
    args: ["--no-sandbox"],
  });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(url);
    await use(page, complaints);
  } finally {
    await browser.close();
  }
}

async function startServer(
  commands: (configFile: string) => Promise<void>,
  more: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const { publicKey, privateKey } = await readCredentials();
  return await TestServer.start({
    main: { "jwt-public-key": publicKey },
    env: { JWT_PRIVATE_KEY: privateKey },
    metrics: { cpu_load: { frequency: 60, aggregation: "avg" } },
    prepare: (_, configFile) => commands(configFile),
    ...more,
  });
}

browserTest(
  "people log in by the form, and scripts cannot read the session",
  async () => {
    await using server = await startServer(async (configFile) => {
      await ringstore(["user", "add", "eve"], configFile, "secret\n");
    });
    await withPage(
      `${server.url}/login?redirect=/health`,
      async (page, complaints) => {
        const submit = async (password: string) => {
          await page.type("input[name=password]", password);
          await Promise.all([page.waitForNavigation(), page.click("button")]);
        };
        await page.type("input[name=username]", "eve");
        await submit("wrong");
        const alert = await page.$eval(
          "[role=alert]",
          (element) => element.textContent,
        );
        assert.match(alert ?? "", /Login failed/);
        // The refusal itself is told as an error.
        complaints.length = 0;
        // The form still knows the name.
        await submit("secret");
        assert.equal(page.url(), `${server.url}/health`);
        assert.equal(await page.evaluate("document.cookie"), "");
        const answer = await page.goto(
          `${server.url}/frontend/jwt/?username=eve`,
        );
        assert.equal(answer?.status(), 200);
        assert.deepEqual(complaints, []);
      },
    );
  },
);

browserTest(
  "Swagger UI tries out the admin API",
  async () => {
    let token = "";
    await using server = await startServer(async (configFile) => {
      token = (await ringstore(["tokengen"], configFile)).trim().split("\n").at(
        -1,
      )!;
    }, { flags: ["-dev"] });
    await withPage(`${server.url}/swagger/`, async (page, complaints) => {
      await (await page.waitForSelector(".btn.authorize"))?.click();
      const bearer = ".auth-container:has(#auth-bearer-value)";
      await page.waitForSelector(bearer);
      await page.type("#auth-bearer-value", token);
      await page.click(`${bearer} .authorize`);
      await (await page.waitForSelector(".auth-btn-wrapper .btn-done"))
        ?.click();
      const operation = '[id$="-listAccessPolicies"] .opblock-summary-control';
      await (await page.waitForSelector(operation))?.click();
      await page.waitForSelector(".try-out__btn");
      await page.click(".try-out__btn");
      await page.waitForSelector(".execute");
      await page.click(".execute");
      await page.waitForSelector(".live-responses-table .response-col_status");
      const text = await page.$eval(
        ".live-responses-table",
        (element) => element.textContent ?? "",
      );
      assert.match(text, /200/);
      assert.match(text, /__admin__/);
      assert.deepEqual(complaints, []);
    });
  },
);

/**
 * Pages in a real browser. Every page complains about console errors, page errors,
 * broken policies, requests that failed and requests to other hosts; a test fails on
 * what it did not expect (web 10).
 */
import assert from "node:assert/strict";
import puppeteer, {
  type Browser,
  type ElementHandle,
  type HTTPRequest,
  type Page,
} from "puppeteer-core";
import { monotonicMs } from "../../../src/base/clock.ts";
import { toolProgram, toolTest } from "../../support/tools.ts";

export const browserTest = toolTest.bind(undefined, "browser");

export const WIDE = { width: 1440, height: 900 };
export const PHONE = {
  width: 390,
  height: 844,
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 1,
};
/** Far above what a page needs on a busy machine. */
const PATIENCE_MS = 20_000;
/** A page that asked for nothing so long has all that it wants. */
const QUIET_MS = 250;
const POLL_MS = 20;

export interface VisitOptions {
  readonly theme?: "light" | "dark";
  readonly isPhone?: boolean;
  readonly hasScripts?: boolean;
}

export class Visit implements AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[] = [];
  readonly requests: string[] = [];
  readonly #browser: Browser;
  readonly #url: string;
  readonly #expected: RegExp[] = [];
  readonly #underWay = new Set<HTTPRequest>();

  private constructor(browser: Browser, page: Page, url: string) {
    this.#browser = browser;
    this.page = page;
    this.#url = url;
  }

  /** A browser of its own at `url`, the origin of the server. */
  static async start(url: string, options: VisitOptions = {}): Promise<Visit> {
    const browser = await puppeteer.launch({
      executablePath: toolProgram("browser"),
      // Its sandbox does not start for root, as whom tests may run.
      args: ["--no-sandbox"],
    });
    const visit = new Visit(browser, await browser.newPage(), url);
    await visit.#prepare(visit.page, options);
    return visit;
  }

  async #prepare(page: Page, options: VisitOptions): Promise<void> {
    page.setDefaultTimeout(PATIENCE_MS);
    await page.setViewport(options.isPhone ? PHONE : WIDE);
    await page.setJavaScriptEnabled(options.hasScripts ?? true);
    await page.emulateMediaFeatures([{
      name: "prefers-color-scheme",
      value: options.theme ?? "light",
    }]);
    page.on("pageerror", (error) => this.#complain(`page: ${error}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      this.#complain(`console: ${message.text()} ${message.location().url}`);
    });
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "";
      // The page left, or took back what it had asked for.
      if (reason === "net::ERR_ABORTED") return;
      this.#complain(`request: ${request.url()} ${reason}`);
    });
    page.on("requestfinished", (request) => this.#underWay.delete(request));
    page.on("requestfailed", (request) => this.#underWay.delete(request));
    // What a page had asked for goes with it, without a word about each.
    page.on("framenavigated", (frame) => {
      if (frame === page.mainFrame()) this.#underWay.clear();
    });
    page.on("request", (request) => {
      this.#underWay.add(request);
      const url = request.url();
      this.requests.push(`${request.method()} ${url.slice(this.#url.length)}`);
      const isOurs = url.startsWith(this.#url) || /^(data|blob):/.test(url);
      if (!isOurs) this.#complain(`foreign: ${url}`);
    });
  }

  #complain(text: string): void {
    if (!this.#expected.some((pattern) => pattern.test(text))) {
      this.complaints.push(text);
    }
  }

  /** Trouble that belongs to the journey from now on. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Another tab of the same browser. */
  async tab(options: VisitOptions = {}): Promise<Page> {
    const page = await this.#browser.newPage();
    await this.#prepare(page, options);
    return page;
  }

  async go(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.page.type("input[name=username]", username);
    await this.page.type("input[name=password]", password);
    await Promise.all([
      this.page.waitForNavigation(),
      this.page.click("button[type=submit], button:not([type])"),
    ]);
  }

  /** The element with a role and a name, once it is there. */
  async find(role: string, name: string): Promise<ElementHandle> {
    const found = await this.page.waitForSelector(
      `::-p-aria([role="${role}"][name="${name}"])`,
    );
    assert.ok(found, `${role} ${name}`);
    return found;
  }

  async click(role: string, name: string): Promise<void> {
    await (await this.find(role, name)).click();
  }

  /** Waits until the page shows a text. */
  async sees(pattern: RegExp): Promise<void> {
    try {
      await this.page.waitForFunction(
        `new RegExp(${JSON.stringify(pattern.source)}, "${pattern.flags}")
          .test(document.body.innerText)`,
      );
    } catch (error) {
      const text = await this.text();
      throw new Error(`${pattern} is not in: ${text.slice(0, 1500)}`, {
        cause: error,
      });
    }
  }

  async text(): Promise<string> {
    return String(await this.page.evaluate("document.body.innerText"));
  }

  /** Waits until nothing is under way, and nothing new was begun for a while. */
  async settles(): Promise<void> {
    const end = monotonicMs() + PATIENCE_MS;
    let quietSince = monotonicMs();
    while (monotonicMs() - quietSince < QUIET_MS) {
      if (this.#underWay.size > 0) quietSince = monotonicMs();
      if (monotonicMs() > end) {
        const urls = [...this.#underWay].map((request) => request.url());
        throw new Error(`still under way: ${urls.join(", ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Fails on everything that the browser complained about. */
  assertQuiet(): void {
    assert.deepEqual(this.complaints, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

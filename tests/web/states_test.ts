/** web J12: a server that is away, slow or busy: parts say so, and go on by themselves. */
import { browserTest, Visit } from "./support/browser.ts";
import { PASSWORD, WorldServer } from "./support/world_server.ts";

browserTest(
  "a part says what is wrong, keeps what it had, and recovers",
  async () => {
    await using world = await WorldServer.start();
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/jobs/");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.sees(/\d+ jobs/);
    visit.expect(/503|422|ERR_FAILED|request:/);
    let fail: number | undefined = 503;
    await visit.page.setRequestInterception(true);
    visit.page.on("request", (request) => {
      const isList = /\/web\/api\/jobs\?/.test(request.url());
      if (!isList || fail === undefined) return void request.continue();
      if (fail === 0) return void request.abort("failed");
      void request.respond({
        status: fail,
        headers: { "Retry-After": "1" },
        contentType: "application/json",
        body: JSON.stringify({
          status: "x",
          error: "the store reads its log: restoring",
        }),
      });
    });
    await visit.page.keyboard.press("r");
    await visit.sees(/not updated since \d\d:\d\d:\d\d/);
    fail = undefined;
    await visit.page.waitForFunction(
      '!/not updated since/.test(document.querySelector("main").innerText)',
    );
    fail = 503;
    await visit.go("/monitoring/jobs/?state=running");
    await visit.sees(/reading its log after a start/);
    fail = undefined;
    await visit.page.waitForSelector("tbody tr");
    fail = 422;
    await visit.go("/monitoring/jobs/?state=failed");
    await visit.sees(/Too much at once/);
    fail = 0;
    await visit.go("/monitoring/jobs/?state=timeout");
    await visit.sees(/The server does not answer/);
    fail = undefined;
    await visit.click("button", "Try again");
    await visit.page.waitForFunction(
      "!/does not answer/.test(document.body.innerText)",
    );
    visit.assertQuiet();
  },
);

browserTest(
  "an empty store says how a job gets there; a filter too narrow, how to widen it",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/jobs/");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.sees(/No jobs yet/);
    await visit.go("/monitoring/jobs/?state=failed");
    await visit.sees(/No job is like that/);
    visit.expect(/404/);
    await visit.go("/monitoring/job/999");
    await visit.sees(/Not there/);
    visit.assertQuiet();
  },
);

browserTest(
  "newer pages are offered while old ones are open, and a lost file is no white page",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/settings");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.sees(/Time zone/);
    visit.expect(/404/);
    await visit.page.setRequestInterception(true);
    visit.page.on("request", (request) => {
      const url = request.url();
      if (url.endsWith("/web/api/session")) {
        void fetchAs(visit, url).then((answer) =>
          request.respond({
            contentType: "application/json",
            body: JSON.stringify({ ...answer, build: "another" }),
          })
        );
      } else if (/\/web\/assets\/jobs-/.test(url)) {
        void request.respond({ status: 404, body: "404 page not found" });
      } else void request.continue();
    });
    await visit.page.keyboard.press("r");
    await visit.sees(/The server has newer pages/);
    await visit.page.click('a[href="/monitoring/jobs/"]');
    await visit.sees(/could not be loaded/);
    await visit.find("button", "Load again");
    visit.assertQuiet();
  },
);

/** What the server answers to the person who is signed in. */
async function fetchAs(
  visit: Visit,
  url: string,
): Promise<Record<string, unknown>> {
  const cookies = await visit.page.browserContext().cookies();
  const response = await fetch(url, {
    headers: {
      Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
      "Sec-Fetch-Site": "same-origin",
    },
  });
  return await response.json();
}

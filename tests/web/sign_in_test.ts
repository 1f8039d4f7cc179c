/** web 15.2, web J1 and J16: from nothing to a page, signing in and out, no scripts. */
import assert from "node:assert/strict";
import { browserTest, Visit } from "./support/browser.ts";
import { PASSWORD, WorldServer } from "./support/world_server.ts";

browserTest(
  "first steps set their own ticks, up to the first sample",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url);
    await visit.go("/");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.sees(/First steps/);
    await visit.sees(/Send one sample/);
    const commands = await visit.page.$$eval(
      "pre",
      (all) => all.map(({ textContent }) => textContent ?? ""),
    );
    assert.ok(commands.some((text) => text.includes(`${world.url}/api/write`)));
    // What the command of the page does.
    const { status } = await fetch(`${world.url}/api/write?cluster=demo`, {
      method: "POST",
      headers: { Authorization: `Bearer ${world.sender.token}` },
      body: `cpu_load,hostname=n01,type=node value=1.5 ${world.filledToSec}`,
    });
    assert.equal(status, 200);
    await visit.sees(/The clusters now/);
    visit.assertQuiet();
  },
);

browserTest(
  "people sign in by the form, keep the deep link, and logout ends other tabs",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/settings?x=1");
    assert.match(
      visit.page.url(),
      /\/login\?redirect=%2Fmonitoring%2Fsettings/,
    );
    visit.expect(/401/);
    await visit.signIn("demo-admin", "wrong");
    const alert = await visit.page.$eval(
      "[role=alert]",
      (one) => one.textContent,
    );
    assert.match(alert ?? "", /Login failed/);
    await visit.page.$eval("input[name=username]", (one) => one.value = "");
    await visit.signIn("demo-admin", PASSWORD);
    assert.equal(visit.page.url(), `${world.url}/monitoring/settings?x=1`);
    await visit.sees(/A token for scripts/);
    assert.equal(await visit.page.evaluate("document.cookie"), "");

    const other = await visit.tab();
    await other.goto(`${world.url}/monitoring/settings`);
    await other.waitForSelector("h1");
    await visit.page.bringToFront();
    await visit.click("button", "Menu of demo-admin");
    await Promise.all([
      visit.page.waitForNavigation(),
      visit.click("button", "Sign out"),
    ]);
    await other.waitForFunction('location.pathname === "/login"');
    visit.assertQuiet();
  },
);

browserTest(
  "a session that ended opens the form over the page, which then goes on",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/settings");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.sees(/A token for scripts/);
    visit.expect(/401/);
    const cookies = await visit.page.browserContext().cookies();
    await visit.page.browserContext().deleteCookie(...cookies);
    await visit.page.keyboard.press("r");
    await visit.find("dialog", "Sign in again");
    const password = await visit.page.waitForSelector(
      "dialog input[name=password]",
    );
    await password!.type(PASSWORD);
    await visit.click("button", "Sign in");
    await visit.page.waitForSelector("dialog", { hidden: true });
    await visit.sees(/A token for scripts/);
    visit.assertQuiet();
  },
);

browserTest(
  "settings change the looks at once and are there after a reload",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/settings");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.click("button", "dark");
    await visit.page.waitForSelector(':root[data-theme="dark"]');
    await visit.click("button", "UTC");
    await visit.settles();
    await visit.page.reload();
    await visit.page.waitForSelector(':root[data-theme="dark"]');
    await visit.sees(/UTC \(UTC\)/);
    await visit.click("button", "Make a token");
    await visit.find("dialog", "Your token");
    await visit.sees(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
    await visit.click("button", "I have it");
    await visit.page.waitForSelector("dialog", { hidden: true });
    assert.doesNotMatch(await visit.text(), /eyJ/);
    visit.assertQuiet();
  },
);

browserTest(
  "without scripts signing in works and pages say what they need",
  async () => {
    await using world = await WorldServer.start({ isEmpty: true });
    await using visit = await Visit.start(world.url, { hasScripts: false });
    await visit.go("/");
    await visit.signIn("demo-admin", PASSWORD);
    const text = await visit.page.$eval("noscript", (one) => one.textContent);
    assert.match(text ?? "", /needs JavaScript/);
    visit.assertQuiet();
  },
);

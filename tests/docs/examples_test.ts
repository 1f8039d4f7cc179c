/**
 * That the files in docs/examples are good: the programs they are for read them, and
 * the server starts with the rights that they give it.
 */
import assert from "node:assert/strict";
import { describeKey } from "../../src/config/settings/describe.ts";
import { Child, freePort } from "../support/child.ts";
import { makeDirectory, ROOT, startArguments } from "../support/server.ts";
import { hasTool, toolProgram, toolTest } from "../support/tools.ts";

const START_MS = 20_000;
const DENO_VERSION = "2.9.6";
const CERTIFICATE = `${ROOT}tests/http/testdata/cert.pem`;
const KEY = `${ROOT}tests/http/testdata/key.pem`;

function example(name: string): string {
  return Deno.readTextFileSync(`${ROOT}docs/examples/${name}`);
}

/** With the places that only an installation has replaced by those of the test. */
function moved(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce(
    (done, [from, to]) => done.replaceAll(from, to),
    text,
  );
}

async function withDirectory(
  use: (directory: string) => void | Promise<void>,
): Promise<void> {
  const directory = await makeDirectory();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs a program to its end; fails with what it said unless it is content. */
function mustAccept(program: string, args: readonly string[]): void {
  const { success, stdout, stderr } = new Deno.Command(program, {
    args: [...args],
  }).outputSync();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stdout) + decoder.decode(stderr));
}

/** The settings of a unit, lines that go on joined; several of a name in order. */
function unitSettings(): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  const text = example("ringstore.service").replaceAll("\\\n", " ");
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || /^\[\w+\]$/.test(line)) continue;
    const [, name = "", value = ""] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    assert.notEqual(name, "", `a line that is no setting: ${line}`);
    settings.set(name, [...settings.get(name) ?? [], value]);
  }
  return settings;
}

/** The words behind `deno` of the unit's command. */
function unitCommand(): string[] {
  const [start = ""] = unitSettings().get("ExecStart") ?? [];
  return start.trim().split(/\s+/).slice(1);
}

/** What of a command is the same wherever it runs. */
function fixedWords(words: readonly string[]): string[] {
  return words.filter((word) => /^--(v8-flags|allow-env|allow-sys)/.test(word));
}

Deno.test("the unit gives the server what it needs, and no right that the start task lacks", () => {
  const settings = unitSettings();
  for (const name of ["User", "StateDirectory", "ExecReload", "MemoryMax"]) {
    assert.ok(settings.has(name), name);
  }
  const task = startArguments();
  assert.deepEqual(fixedWords(unitCommand()), fixedWords(task));
  const kinds = (words: readonly string[]) =>
    words.filter((word) => word.startsWith("--allow-"))
      .map((word) => word.split("=")[0]!).toSorted();
  assert.deepEqual(kinds(unitCommand()), kinds(task));
});

Deno.test("the server starts with the rights of the unit", () =>
  withDirectory(async (directory) => {
    const port = freePort();
    const config = { ...JSON.parse(example("nats.json")), nats: undefined };
    delete config["metric-store"]["nats-subscriptions"];
    const state = `${directory}/state`;
    await Deno.mkdir(state);
    await Deno.mkdir(`${directory}/etc`);
    await Deno.writeTextFile(
      `${directory}/etc/config.json`,
      JSON.stringify({ ...config, main: { addr: `localhost:${port}` } }),
    );
    const server = new Child({
      command: Deno.execPath(),
      args: unitCommand().map((word) =>
        moved(word, {
          "/opt/ringstore/": ROOT,
          "/opt/ringstore": ROOT.replace(/\/$/, ""),
          "/etc/ringstore": `${directory}/etc`,
          "/var/lib/ringstore": state,
          "8082": String(port),
        })
      ),
      cwd: state,
    });
    try {
      await server.untilAnswers(
        `http://localhost:${port}/ready`,
        200,
        START_MS,
      );
    } finally {
      await server.stop();
    }
  }));

Deno.test("the script runs commands with the rights of the unit, as far as files go", () =>
  withDirectory(async (directory) => {
    const script = `${directory}/ringstore.sh`;
    const text = example("ringstore.sh");
    const words = text.replaceAll("\\\n", " ").split(/\s+/);
    const files = (all: readonly string[]) =>
      all.filter((word) => /^--allow-(write|env|sys)/.test(word));
    assert.deepEqual(files(words), files(unitCommand()));
    await Deno.mkdir(`${directory}/etc`);
    await Deno.writeTextFile(
      `${directory}/etc/config.json`,
      JSON.stringify({
        metrics: { m: { frequency: 60, aggregation: null } },
        "metric-store": { "retention-in-memory": "1h" },
      }),
    );
    await Deno.writeTextFile(
      script,
      moved(text, {
        // The test has no such user, and packages are where its Deno has them.
        "runuser -u ringstore -- env DENO_DIR=/var/cache/ringstore": "",
        "/usr/bin/deno": Deno.execPath(),
        "/opt/ringstore/": ROOT,
        "/etc/ringstore": `${directory}/etc`,
        "/var/lib/ringstore": directory,
      }),
    );
    mustAccept("sh", [script, "user", "list"]);
  }));

Deno.test({
  name: "systemd takes the unit",
  // Not asked for by `REQUIRE_TOOLS`: containers have no systemd.
  ignore: !hasTool("systemd"),
  fn: () =>
    withDirectory(async (directory) => {
      const unit = `${directory}/ringstore.service`;
      await Deno.writeTextFile(
        unit,
        moved(example("ringstore.service"), {
          "/usr/bin/deno": Deno.execPath(),
        }),
      );
      mustAccept(toolProgram("systemd"), ["verify", "--man=no", unit]);
    }),
});

Deno.test("the Containerfile copies what is there and runs what the start task runs", () => {
  const text = example("Containerfile").replaceAll("\\\n", " ");
  const lines = text.split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  const known =
    /^(FROM|RUN|ENV|WORKDIR|COPY|USER|VOLUME|EXPOSE|STOPSIGNAL|ENTRYPOINT|CMD) \S/;
  assert.deepEqual(lines.filter((line) => !known.test(line)), []);
  for (const line of lines.filter((line) => line.startsWith("COPY "))) {
    for (const name of line.split(/\s+/).slice(1, -1)) {
      assert.ok(Deno.statSync(ROOT + name), name);
    }
  }
  assert.match(text, new RegExp(`deno@${DENO_VERSION.replaceAll(".", "\\.")}`));
  const [, entry = ""] = /^ENTRYPOINT (.*)$/m.exec(text) ?? [];
  const words: string[] = JSON.parse(entry);
  assert.deepEqual(
    fixedWords(words),
    fixedWords(startArguments()),
  );
});

toolTest(
  "nginx",
  "nginx takes the example",
  () =>
    withDirectory(async (directory) => {
      await Deno.writeTextFile(
        `${directory}/ringstore.conf`,
        moved(example("nginx.conf"), {
          "/etc/ssl/ringstore/cert.pem": CERTIFICATE,
          "/etc/ssl/ringstore/key.pem": KEY,
          // A port that needs no privilege: it is bound for the check.
          "443": String(freePort()),
        }),
      );
      const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (name) => `${name}_temp_path ${directory}/${name};`,
      );
      const main = `${directory}/main.conf`;
      await Deno.writeTextFile(
        main,
        `pid ${directory}/pid; error_log stderr; events {}
       http { access_log off; ${paths.join(" ")}
       include ${directory}/ringstore.conf; }`,
      );
      mustAccept(toolProgram("nginx"), ["-t", "-p", directory, "-c", main]);
    }),
);

toolTest(
  "haproxy",
  "HAProxy takes the example",
  () =>
    withDirectory(async (directory) => {
      const pem = `${directory}/ringstore.pem`;
      await Deno.writeTextFile(
        pem,
        await Deno.readTextFile(CERTIFICATE) + await Deno.readTextFile(KEY),
      );
      const config = `${directory}/haproxy.cfg`;
      await Deno.writeTextFile(
        config,
        moved(example("haproxy.cfg"), {
          "/etc/ssl/ringstore/ringstore.pem": pem,
          ":443": `127.0.0.1:${freePort()}`,
        }),
      );
      mustAccept(toolProgram("haproxy"), ["-c", "-f", config]);
    }),
);

Deno.test("logrotate.conf rotates the file that the unit's server writes, and reloads it", () => {
  const text = example("logrotate.conf");
  const [, file = ""] = /^(\/\S+) \{$/m.exec(text) ?? [];
  const [state = ""] = unitSettings().get("WorkingDirectory") ?? [];
  assert.ok(file.startsWith(`${state}/var/`), file);
  assert.ok(text.includes(`"./${file.slice(state.length + 1)}"`), file);
  assert.ok(describeKey(["main", "audit-log"]) !== undefined);
  const [user = ""] = unitSettings().get("User") ?? [];
  assert.match(text, new RegExp(`create 0600 ${user} ${user}`));
  assert.match(text, /postrotate\n\s+systemctl reload ringstore\n\s+endscript/);
  assert.match(unitSettings().get("ExecReload")?.[0] ?? "", /kill -HUP/);
});

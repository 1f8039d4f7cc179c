import assert from "node:assert/strict";
import { parseCommandLine, usage } from "./command_line.ts";
import { UsageError } from "./flags.ts";

const COMMON = {
  configFile: "./config.json",
  logLevel: "warn",
  logDates: false,
};

Deno.test("parseCommandLine() runs the server without arguments", () => {
  assert.deepEqual(parseCommandLine([]), {
    ...COMMON,
    command: "serve",
    dev: false,
    withoutEffect: [],
  });
});

Deno.test("parseCommandLine() takes the flags of upstream", () => {
  const args = "-config c.json -dev --loglevel=debug -logdate -gops -server";
  assert.deepEqual(parseCommandLine(args.split(" ")), {
    command: "serve",
    configFile: "c.json",
    logLevel: "debug",
    logDates: true,
    dev: true,
    withoutEffect: ["gops", "server"],
  });
  assert.equal(parseCommandLine(["-version"]).command, "version");
  assert.equal(parseCommandLine(["--help"]).command, "help");
  const cleanUp = parseCommandLine(["-cleanup-checkpoints", "-config", "c"]);
  assert.equal(cleanUp.command, "clean-up");
  assert.equal(cleanUp.configFile, "c");
});

Deno.test("parseCommandLine() reads the command token", () => {
  const args = "-config a token --user u --roles admin,api,admin --max-age 1h";
  assert.deepEqual(parseCommandLine(args.split(" ")), {
    ...COMMON,
    command: "token",
    configFile: "a",
    user: "u",
    roles: ["admin", "api"],
    maxAgeSec: 3600,
  });
  const short = {
    ...COMMON,
    command: "token",
    user: "u",
    // Those of the database.
    roles: undefined,
    maxAgeSec: undefined,
  };
  assert.deepEqual(parseCommandLine(["token", "-user=u"]), short);
  assert.deepEqual(parseCommandLine(["-jwt", "u"]), short);
});

Deno.test("parseCommandLine() knows users in our words and in upstream's", () => {
  const eve = {
    command: "user-add",
    username: "eve",
    roles: ["user", "api"],
    projects: [],
    name: "",
    email: "",
  };
  const parsed = (...args: string[]) => {
    const { configFile: _, logLevel: __, logDates: ___, ...rest } =
      parseCommandLine(args);
    return rest;
  };
  assert.deepEqual(parsed("user", "add", "eve", "--roles", "user,api"), {
    ...eve,
    password: undefined,
  });
  assert.deepEqual(parsed("user", "--roles", "user,api", "add", "eve"), {
    ...eve,
    password: undefined,
  });
  assert.deepEqual(parsed("-add-user", "eve:user,api:a:b"), {
    ...eve,
    password: "a:b",
  });
  for (const args of [["user", "del", "eve"], ["-del-user", "eve"]]) {
    assert.deepEqual(parsed(...args), { command: "user-del", username: "eve" });
  }
});

Deno.test("parseCommandLine() says what is wrong", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["-nope", /unknown flag: -nope/],
    ["nope", /unknown command: nope/],
    ["toString", /unknown command/],
    ["-loglevel loud", /-loglevel is one of debug, info, warn, err, crit/],
    ["-config", /-config needs a value: FILE/],
    ["token", /token needs --user/],
    ["token --user u --roles root", /unknown role "root"/],
    ["token --user u --max-age 7d", /--max-age is a duration .* not "7d"/],
    ["token --user u --max-age -5m", /--max-age is a duration/],
    ["token --user u more", /unexpected word: more/],
    ["-dev token --user u", /-dev does not go with the command token/],
    ["gen-keypair --user u", /unknown flag: --user/],
    ["-add-user a:b", /-add-user is NAME:ROLE,ROLE:PASSWORD/],
    [
      "user",
      /user needs one of: add NAME, del NAME, password NAME, roles NAME LIST, list/,
    ],
    ["user add", /user add needs NAME/],
    ["user password", /user password needs NAME/],
    ["user roles eve", /user roles needs NAME LIST/],
    ["user list me", /unexpected word: me/],
    ["user add eve me", /unexpected word: me/],
    ["user del eve --roles user", /--roles does not go with user del/],
    ["user roles eve user --email e", /--email does not go with user roles/],
    ["help nope", /unknown command: nope/],
    ["help user add", /unexpected word: add/],
    [
      "archive",
      /archive needs one of: import DIR, verify \[DIR\], init-db, status, retry/,
    ],
    ["archive check", /archive needs one of/],
    ["archive import", /archive import needs the directory of an archive/],
    ["archive init-db x", /archive init-db takes no directory, got x/],
    ["archive retry x", /archive retry takes no directory, got x/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => parseCommandLine(args.split(" ")), (error: unknown) => {
      assert.ok(error instanceof UsageError, args);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("parseCommandLine() changes passwords and roles", () => {
  assert.deepEqual(
    parseCommandLine(["user", "password", "eve"]),
    { ...COMMON, command: "user-password", username: "eve" },
  );
  const roles = {
    ...COMMON,
    command: "user-roles",
    username: "eve",
    roles: ["user", "manager"],
  };
  assert.deepEqual(
    parseCommandLine(["user", "roles", "eve", "user, manager"]),
    { ...roles, projects: undefined },
  );
  assert.deepEqual(
    parseCommandLine("user roles eve user,manager --projects a,b".split(" ")),
    { ...roles, projects: ["a", "b"] },
  );
});

Deno.test("every command says what it takes, wherever help is asked for", () => {
  const names = [
    ...usage().matchAll(/^ {2}([a-z][a-z-]*) .*$/gm),
  ].map(([, name = ""]) => name).filter((name) => name !== "help");
  assert.ok(names.length >= 9, names.join());
  for (const name of names) {
    const about = { ...COMMON, command: "help", about: name };
    for (
      const args of [
        [name, "--help"],
        [name, "-h"],
        ["-help", name],
        ["help", name],
      ]
    ) assert.deepEqual(parseCommandLine(args), about, args.join(" "));
    const page = usage(name);
    assert.match(page, new RegExp(`^Usage: ringstore ${name} `));
    assert.match(page, /-config FILE/);
    assert.ok(!page.includes("-cleanup-checkpoints"));
  }
  for (
    const args of ["user add --help", "user add eve --help --roles user"]
  ) {
    assert.deepEqual(parseCommandLine(args.split(" ")), {
      ...COMMON,
      command: "help",
      about: "user",
    });
  }
  for (const word of ["password NAME", "roles NAME LIST", "-projects LIST"]) {
    assert.ok(usage("user").includes(word), word);
  }
  assert.deepEqual(parseCommandLine(["help"]), {
    ...COMMON,
    command: "help",
    about: undefined,
  });
});

Deno.test("usage() names every flag and command", () => {
  const text = usage();
  for (
    const word of [
      "-config FILE",
      "-dev",
      "-loglevel LEVEL",
      "-logdate",
      "-version",
      "gen-keypair",
      "token",
      "-max-age DURATION",
    ]
  ) assert.ok(text.includes(word), word);
});

Deno.test("parseCommandLine() knows tokengen", () => {
  const parsed = (...args: string[]) => {
    const { configFile: _, logLevel: __, logDates: ___, ...rest } =
      parseCommandLine(["tokengen", ...args]);
    return rest;
  };
  assert.deepEqual(parsed(), {
    command: "tokengen",
    policy: "__admin__",
    file: undefined,
  });
  assert.deepEqual(parsed("--access-policy=p", "-token-file", "f"), {
    command: "tokengen",
    policy: "p",
    file: "f",
  });
});

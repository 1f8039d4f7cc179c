import assert from "node:assert/strict";
import { ClientError } from "../base/errors.ts";
import { TemporaryDatabase } from "./_fixture.ts";
import { Connection } from "./connection.ts";
import { DatabaseError, openDatabase } from "./database.ts";
import { migrate } from "./migrations.ts";

function refusal(fixture: TemporaryDatabase): string {
  try {
    openDatabase(fixture.options).close();
  } catch (error) {
    assert.ok(error instanceof DatabaseError);
    return error.message;
  }
  return "";
}

function put(fixture: TemporaryDatabase, content: string): void {
  Deno.mkdirSync(`${fixture.directory}/new`);
  Deno.writeTextFileSync(fixture.options.path, content);
}

/** Leaves the database as another program would have made it. */
function execute(fixture: TemporaryDatabase, sql: string): void {
  const connection = new Connection(fixture.options.path, 0);
  connection.exec(sql);
  connection.close();
}

Deno.test("openDatabase() makes a file and a directory that only their owner can read", () => {
  using fixture = new TemporaryDatabase();
  fixture.open().tables.clusters.note(["emmy"]);
  const mode = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o777;
  assert.equal(mode(`${fixture.directory}/new`), 0o700);
  assert.equal(mode(fixture.options.path), 0o600);
  assert.equal(mode(`${fixture.options.path}-wal`), 0o600);
});

Deno.test("openDatabase() keeps what is in the database, however often it is opened", () => {
  using fixture = new TemporaryDatabase();
  const first = openDatabase(fixture.options);
  first.tables.clusters.note(["emmy"]);
  const noted = first.tables.clusters.list();
  first.close();
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(fixture.open().tables.clusters.list(), noted);
  }
});

Deno.test("openDatabase() says what to do about a newer schema and changes nothing", () => {
  using fixture = new TemporaryDatabase();
  openDatabase(fixture.options).close();
  execute(fixture, "PRAGMA user_version = 1000");
  const before = Deno.readFileSync(fixture.options.path);
  assert.match(refusal(fixture), /job\.db.*version 1000.*newer ringstore/);
  assert.deepEqual(Deno.readFileSync(fixture.options.path), before);
});

Deno.test("openDatabase() refuses the database of another program", () => {
  using fixture = new TemporaryDatabase();
  put(fixture, "");
  execute(fixture, "CREATE TABLE schema_migrations (version)");
  assert.match(refusal(fixture), /another program.*cc-backend.*main\.db/);
});

Deno.test("openDatabase() refuses a damaged file with its name", () => {
  using fixture = new TemporaryDatabase();
  put(fixture, "no database ".repeat(1000));
  assert.match(refusal(fixture), /job\.db.*not a database.*backup/);
});

Deno.test("openDatabase() refuses a directory in its place", () => {
  using fixture = new TemporaryDatabase();
  Deno.mkdirSync(fixture.options.path, { recursive: true });
  assert.match(refusal(fixture), /job\.db cannot be opened.*main\.db/);
});

Deno.test("migrate() takes back what a failing migration began", () => {
  using fixture = new TemporaryDatabase();
  put(fixture, "");
  const connection = new Connection(fixture.options.path, 0);
  const broken = "CREATE TABLE b (x) STRICT; INSERT INTO nowhere VALUES (1)";
  assert.throws(
    () => migrate(connection, ["CREATE TABLE a (x INTEGER) STRICT", broken]),
  );
  const names = connection.prepare<{ name: string }>(
    "SELECT name FROM sqlite_schema",
  ).all().map(({ name }) => name);
  assert.deepEqual(names, ["a"]);
  assert.equal(connection.pragma("user_version"), 1);
  connection.close();
});

Deno.test("migrate() goes on from the version a database has", () => {
  using fixture = new TemporaryDatabase();
  put(fixture, "");
  const connection = new Connection(fixture.options.path, 0);
  const first = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7)";
  const second = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1";
  migrate(connection, [first]);
  migrate(connection, [first, second]);
  migrate(connection, [first, second]);
  const rows = connection.prepare<{ x: number; y: number }>("SELECT * FROM a")
    .all();
  assert.deepEqual(rows.map(({ x, y }) => [x, y]), [[7, 8]]);
  assert.equal(connection.pragma("user_version"), 2);
  connection.close();
});

Deno.test("Connection.transaction() keeps all of it or nothing", () => {
  using fixture = new TemporaryDatabase();
  put(fixture, "");
  const connection = new Connection(fixture.options.path, 0);
  connection.exec("CREATE TABLE a (x INTEGER CHECK (x < 3)) STRICT");
  const insert = connection.prepare("INSERT INTO a VALUES (?)");
  const both = (x: number, y: number) =>
    connection.transaction(() => {
      insert.run(x);
      connection.transaction(() => insert.run(y));
    });
  both(1, 2);
  assert.throws(() => both(1, 3), /CHECK/);
  const count = connection.prepare<{ n: number }>("SELECT sum(x) AS n FROM a");
  assert.equal(count.get()?.n, 3);
  connection.close();
});

Deno.test("Connection refuses texts that SQLite would cut off", () => {
  using temporary = new TemporaryDatabase();
  const { users } = temporary.open().tables;
  const eve = {
    username: "eve",
    authSource: 0,
    name: "",
    email: "",
    roles: ["user"],
    projects: [],
  } as const;
  assert.ok(users.create(eve, null));
  assert.throws(() => users.get("eve\0x"), /the character NUL/);
  assert.throws(
    () => users.create({ ...eve, username: "bob", name: "B\0" }, null),
    (error: unknown) => error instanceof ClientError && error.status === 400,
  );
  assert.equal(users.get("bob"), undefined);
});

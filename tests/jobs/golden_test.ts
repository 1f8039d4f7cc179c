/**
 * The recorded exchanges of the job API, replayed. What differs on purpose is in the
 * table below, with the number of the oddity or the section of the contract that asks
 * for it; a difference that is not there fails, and so does an entry without one.
 */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { type HttpAnswer, TestClient } from "../support/client.ts";
import { shiftTimes } from "../support/golden.ts";
import {
  differences,
  type JobScenario,
  type JobStep,
} from "../support/job_golden.ts";
import { readCredentials, startJobServer } from "../support/job_server.ts";
import { makeDirectory } from "../support/server.ts";
import { DEVIATIONS } from "./golden_deviations.ts";

const DIRECTORY = new URL("../testdata/golden/jobs/", import.meta.url);
const WAIT_MS = 20_000;

for (
  const name of [
    "lifecycle",
    "tags-metadata",
    "users-config",
    "nodes-store",
    "archived",
    "auth-matrix",
    "api-subjects",
    "ip-list",
  ]
) {
  Deno.test(`the job API answers as recorded: ${name}`, async () => {
    const text = await Deno.readTextFile(new URL(`${name}.json`, DIRECTORY));
    const scenario: JobScenario = JSON.parse(
      shiftTimes(text, "hour", nowSec()),
    );
    await using replay = await Replay.start(scenario);
    const expected = DEVIATIONS[name] ?? {};
    const unnamed: string[] = [];
    const unused = new Set(Object.keys(expected));
    for (const [i, step] of scenario.steps.entries()) {
      if (step.wait !== undefined) {
        await replay.settle();
        continue;
      }
      const found = await replay.compare(step);
      const named = expected[i];
      if (named === undefined) {
        if (found.length > 0) {
          const { method, path } = step.request!;
          unnamed.push(`step ${i} ${method} ${path}: ${found.join("; ")}`);
        }
        continue;
      }
      if (found.length > 0 && found.every((one) => named.differs.test(one))) {
        unused.delete(String(i));
      } else {
        unnamed.push(
          `step ${i} (${named.reason}): ${found.join("; ") || "no difference"}`,
        );
      }
    }
    assert.deepEqual(unnamed, []);
    assert.deepEqual([...unused], [], "deviations that are none any more");
  });
}

/** Users whose recorded tokens have the role `api` as well. */
const WITH_SCRIPTS = ["eve", "bob", "mia", "sam"];

class Replay implements AsyncDisposable {
  readonly #server: Awaited<ReturnType<typeof startJobServer>>;
  readonly #client: TestClient;
  readonly #tokens: Readonly<Record<string, string>>;
  /** Cookies by the name of the jar. */
  readonly #jars = new Map<string, string>();

  private constructor(
    server: Awaited<ReturnType<typeof startJobServer>>,
    tokens: Readonly<Record<string, string>>,
  ) {
    this.#server = server;
    this.#client = new TestClient(server.url);
    this.#tokens = tokens;
  }

  static async start(scenario: JobScenario): Promise<Replay> {
    const { tokens } = await readCredentials();
    const directory = await makeDirectory();
    const server = await startJobServer({
      main: { "machine-state-dir": directory, ...scenario.main },
    });
    const replay = new Replay(server, tokens);
    // Our rules want a project of a new manager; upstream's table has none.
    await replay.#send({
      method: "POST",
      path: "/api/user/mia",
      token: "admin+api",
      headers: { "X-Real-Ip": "10.1.2.3" },
      body: '{"remove-project":"none"}',
    });
    // Recorded tokens say more than upstream's table has, which here would narrow them
    // (settled 47).
    for (const name of scenario.name === "users-config" ? [] : WITH_SCRIPTS) {
      await replay.#send({
        method: "POST",
        path: `/api/user/${name}`,
        token: "admin+api",
        headers: { "X-Real-Ip": "10.1.2.3" },
        body: '{"add-role":"api"}',
      });
    }
    return replay;
  }

  async compare(step: JobStep): Promise<string[]> {
    const request = step.request!;
    const answer = await this.#send({
      ...request,
      path: await this.#resolve(request.path),
    });
    return differences({
      status: answer.status,
      contentType: answer.headers["content-type"] ?? "",
      allow: answer.headers["allow"] ?? "",
      location: answer.headers["location"] ?? "",
      setCookie: answer.headers["set-cookie"]?.[0] ?? "",
      text: answer.text,
    }, step);
  }

  /** Waits until no stopped job is being archived. */
  async settle(): Promise<void> {
    await this.#server.child.until("all jobs archived", WAIT_MS, async () => {
      const jobs = await this.#jobs();
      const waiting = jobs.some(({ jobState, monitoringStatus }) =>
        jobState !== "running" && monitoringStatus === 1
      );
      return waiting ? undefined : true;
    });
  }

  async #jobs(): Promise<
    { id: number; jobId: number; jobState: string; monitoringStatus: number }[]
  > {
    const { text } = await this.#send({
      method: "GET",
      path: "/api/jobs/?items-per-page=1000",
      token: "api",
      headers: { "X-Real-Ip": "10.1.2.3" },
    });
    return JSON.parse(text).jobs;
  }

  /** `{id:4711}` is our id of the job 4711. */
  async #resolve(path: string): Promise<string> {
    const match = /\{id:(\d+)\}/.exec(path);
    if (match === null) return path;
    const found = (await this.#jobs()).find(({ jobId }) =>
      jobId === Number(match[1])
    );
    assert.ok(found, `there is no job ${match[1]}`);
    return path.replace(match[0], String(found.id));
  }

  async #send(request: NonNullable<JobStep["request"]>): Promise<HttpAnswer> {
    const { method, path, body, token, session, headers } = request;
    const jar = session === undefined ? undefined : this.#jars.get(session);
    const answer = await this.#client.send({
      method,
      path,
      body,
      headers: {
        ...headers,
        ...(jar ? { Cookie: jar, Origin: this.#server.url } : {}),
      },
      authorization: token ? `Bearer ${this.#tokens[token]}` : null,
    });
    const [cookie] = answer.headers["set-cookie"] ?? [];
    if (session !== undefined && cookie !== undefined) {
      this.#jars.set(session, cookie.split(";", 1)[0]!);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#server.stop();
  }
}

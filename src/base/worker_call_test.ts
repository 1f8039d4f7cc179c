import assert from "node:assert/strict";
import { ClientError } from "./errors.ts";
import {
  clientErrorOf,
  errorData,
  WorkerClient,
  type WorkerClientOptions,
} from "./worker_call.ts";

interface Calls {
  add(numbers: readonly number[]): number;
  take(buffer: ArrayBuffer): number;
  fail(text: string): void;
  group(): number;
  die(): void;
}

/** A worker that uses the answering end, or a script of its own. */
function startWorker(script: string): Worker {
  const lines = [
    `import { serveCalls } from "${new URL(
      "worker_call.ts",
      import.meta.url,
    )}";`,
    `import { ClientError } from "${new URL("errors.ts", import.meta.url)}";`,
    script,
  ];
  const url = `data:application/javascript,${
    encodeURIComponent(lines.join("\n"))
  }`;
  return new Worker(url, { type: "module" });
}

const SERVER = `serveCalls(({ name, input }) => {
  if (name === "add") return input.reduce((sum, one) => sum + one, 0);
  if (name === "take") return input.byteLength;
  if (name === "die") return void setTimeout(() => { throw new Error("no more"); });
  if (input === "client") {
    throw new ClientError("E_RATE", "too fast", { retryAfterSec: 7 });
  }
  throw Object.assign(new Error("broken"), { path: "/a/b" });
});`;

const OPTIONS: WorkerClientOptions = {
  callsMax: 3,
  overload: "too many",
  errorOf: clientErrorOf,
  lost: (reason) => new Error(`lost: ${reason}`),
};

/** Ends the worker behind the test. */
function useClient(
  script = SERVER,
  options: Partial<WorkerClientOptions> = {},
): WorkerClient<Calls> & Disposable {
  const client = new WorkerClient<Calls>(startWorker(script), {
    ...OPTIONS,
    ...options,
  });
  return Object.assign(client, {
    [Symbol.dispose]: () => client.end(new Error("ended")),
  });
}

Deno.test("WorkerClient resolves calls with the worker's values, each with its own", async () => {
  using client = useClient();
  const sums = await Promise.all([
    client.call("add", [1, 2]),
    client.call("add", [3, 4]),
  ]);
  assert.deepEqual(sums, [3, 7]);
});

Deno.test("WorkerClient moves the buffers that a call gives away", async () => {
  using client = useClient();
  const buffer = new ArrayBuffer(24);
  assert.equal(await client.call("take", buffer, [buffer]), 24);
  assert.equal(buffer.byteLength, 0);
});

Deno.test("WorkerClient rejects with the worker's error: code, message, time, file", async () => {
  using client = useClient();
  await assert.rejects(client.call("fail", "client"), (error) => {
    assert.ok(error instanceof ClientError);
    const { code, message, retryAfterSec } = error;
    assert.deepEqual([code, message, retryAfterSec], ["E_RATE", "too fast", 7]);
    return true;
  });
  using other = useClient(SERVER, {
    errorOf: ({ code, message, path, stack }) =>
      new Error(JSON.stringify([code, message, path, stack !== ""])),
  });
  await assert.rejects(other.call("fail", ""), {
    message: '["E_INTERNAL","broken","/a/b",true]',
  });
});

Deno.test("WorkerClient refuses a call beyond its bound and takes the next when one is done", async () => {
  using client = useClient();
  const asked = [1, 2, 3].map((one) => client.call("add", [one]));
  await assert.rejects(client.call("add", [4]), {
    code: "E_OVERLOAD",
    message: "too many",
    retryAfterSec: 1,
  });
  assert.deepEqual(await Promise.all(asked), [1, 2, 3]);
  assert.equal(await client.call("add", [5]), 5);
});

Deno.test("WorkerClient rejects all calls once its worker is lost, and says so once", async () => {
  const reasons: string[] = [];
  using client = useClient(SERVER, {
    lost: (reason) => {
      reasons.push(reason);
      return new Error("lost");
    },
  });
  await client.call("die", undefined);
  // The worker has no answer to this one before it dies of the one before.
  await assert.rejects(
    (async () => {
      for (;;) await client.call("add", [1]);
    })(),
    { message: "lost" },
  );
  await client.idle();
  await assert.rejects(client.call("add", [1]), { message: "lost" });
  assert.equal(reasons.length, 1);
  assert.match(reasons[0]!, /no more/);
});

Deno.test("WorkerClient.end() rejects the calls under way and later ones", async () => {
  using client = useClient();
  const asked = client.call("add", [1]);
  client.end(new Error("over"));
  await assert.rejects(asked, { message: "over" });
  await assert.rejects(client.call("add", [1]), { message: "over" });
  await client.idle();
});

Deno.test("WorkerClient rejects an input that cannot be sent, and goes on", async () => {
  for (const isGrouped of [false, true]) {
    using client = useClient(SERVER, { isGrouped });
    const unsendable = [() => {}] as unknown as number[];
    const [first, refused, last] = await Promise.allSettled([
      client.call("add", [1]),
      client.call("add", unsendable),
      client.call("add", [2]),
    ]);
    assert.equal(first.status === "fulfilled" && first.value, 1);
    assert.ok(refused.status === "rejected");
    assert.match(String(refused.reason), /could not be cloned/);
    assert.equal(last.status === "fulfilled" && last.value, 2);
    await client.idle();
  }
});

/** Answers each call with the number of calls in its message. */
const COUNTER = `self.onmessage = ({ data }) => self.postMessage({
  answers: data.calls.map(({ id }) =>
    ({ id, isOk: true, value: data.calls.length })),
});`;

Deno.test("WorkerClient groups the calls made while the worker is busy, if asked to", async () => {
  for (
    const [isGrouped, lengths] of [[true, [1, 2, 2]], [false, [
      1,
      1,
      1,
    ]]] as const
  ) {
    using client = useClient(COUNTER, { isGrouped });
    const asked = lengths.map(() => client.call("group", undefined));
    assert.deepEqual(await Promise.all(asked), lengths);
  }
});

Deno.test("WorkerClient hands notices on beside answers", async () => {
  const notices: string[] = [];
  using client = useClient(
    `self.onmessage = ({ data }) => {
      self.postMessage({ notice: "changed" });
      self.postMessage({ answers: [{ id: data.calls[0].id, isOk: true, value: 0 }] });
    };`,
    { onNotice: (notice) => notices.push(notice) },
  );
  await client.call("group", undefined);
  assert.deepEqual(notices, ["changed"]);
});

Deno.test("errorData() keeps the stack of faults alone and takes things that are no errors", () => {
  assert.equal(errorData(new ClientError("E_RATE", "x")).stack, "");
  assert.match(errorData(new Error("x")).stack, /worker_call_test/);
  assert.equal(errorData("text").message, "text");
  assert.equal(errorData("text").code, "E_INTERNAL");
});

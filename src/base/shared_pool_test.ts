import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../tests/support/fuzz_runs.ts";
import { ClientError } from "./errors.ts";
import { type Claim, type ShareClass, SharedPool } from "./shared_pool.ts";

const LONG_MS = 60_000;

function poolOf(capacity: number, waitMs = LONG_MS): SharedPool {
  return new SharedPool({ what: "things in the test", capacity, waitMs });
}

/** How a claim's wait ended, once it has. */
function outcomeOf(wait: Promise<void>): { text: string } {
  const outcome = { text: "waiting" };
  wait.then(
    () => outcome.text = "taken",
    (error: unknown) => {
      assert.ok(error instanceof ClientError);
      assert.equal(error.code, "E_OVERLOAD");
      assert.equal(error.retryAfterSec, 1);
      outcome.text = "refused";
    },
  );
  return outcome;
}

/** Lets those go on whose promises were settled. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await Promise.resolve();
}

Deno.test("SharedPool keeps a half for writes, whatever readers hold", () => {
  const pool = poolOf(100);
  const readers = Array.from({ length: 60 }, () => pool.claim("r", "read"));
  const taken = readers.filter((claim) => claim.tryTake(1));
  assert.equal(taken.length, 50);
  // What exists counts, and takes nothing from the others.
  taken[0]!.add(1000);
  const writer = pool.claim("w", "write");
  assert.equal(writer.tryTake(50), true);
  assert.equal(pool.inUse("write"), 50);
  assert.equal(pool.inUse("read"), 1050);
  assert.equal(pool.inUse(), 1100);
});

Deno.test("SharedPool lets a principal in that holds nothing, and one alone have all of its half", async () => {
  const pool = poolOf(100);
  const many = Array.from({ length: 50 }, () => pool.claim("greedy", "read"));
  for (const claim of many) assert.equal(claim.tryTake(1), true);
  const modest = pool.claim("modest", "read");
  assert.equal(modest.tryTake(10), true);
  assert.equal(modest.tryTake(10), true);
  const second = pool.claim("modest", "read");
  assert.equal(second.tryTake(1), false);
  const wait = outcomeOf(second.take(1));
  // While another waits the greedy one keeps to a quarter.
  const more = outcomeOf(many[0]!.take(1));
  for (const claim of many.splice(1, 25)) claim.close();
  await settle();
  assert.equal(wait.text, "taken");
  assert.equal(more.text, "taken");
});

Deno.test("SharedPool refuses after the wait, and at once without one", async () => {
  const pool = poolOf(2, 1);
  pool.claim("a", "read").tryTake(1);
  await assert.rejects(pool.claim("a", "read").take(1), /too many things/);
  const hasty = poolOf(2, 0);
  hasty.claim("a", "read").tryTake(1);
  await assert.rejects(hasty.claim("a", "read").take(1), /too many things/);
  assert.equal(hasty.refusalsTotal, 1);
});

Deno.test("SharedPool refuses the newest when all that is held waits", async () => {
  const pool = poolOf(40);
  const [first, second, third] = ["a", "a", "a"].map((name) =>
    pool.claim(name, "read")
  );
  assert.ok(first!.tryTake(7) && second!.tryTake(7) && third!.tryTake(6));
  const waits = [third!, first!, second!].map((claim) =>
    outcomeOf(claim.take(7))
  );
  await settle();
  assert.deepEqual(waits.map(({ text }) => text), [
    "refused",
    "waiting",
    "waiting",
  ]);
  third!.close();
  await settle();
  // The room of the newest is not enough for both: the newer of them goes.
  assert.deepEqual(waits.map(({ text }) => text), [
    "refused",
    "waiting",
    "refused",
  ]);
  second!.close();
  await settle();
  assert.equal(waits[1]!.text, "taken");
});

Deno.test("SharedPool always lets the administrator in", () => {
  const pool = poolOf(10);
  pool.claim("r", "read").add(1000);
  pool.claim("w", "write").add(1000);
  const claims = [1, 2, 3].map(() => pool.claim("boss", "admin"));
  for (const claim of claims) assert.equal(claim.tryTake(1000), true);
});

Deno.test("Claim.release() refuses to give back more than was taken", () => {
  const claim = poolOf(10).claim("a", "read");
  claim.add(1);
  assert.throws(() => claim.release(2), /BUG/);
});

/** The same rules, written down naively: every list is walked each time. */
class Model {
  readonly #limit: number;
  readonly #quota: number;
  readonly claims: ModelClaim[] = [];
  /** Principals that wait, next first. */
  readonly #turn: string[] = [];

  constructor(capacity: number) {
    this.#limit = capacity / 2;
    this.#quota = capacity / 4;
  }

  get used(): number {
    return sum(this.claims);
  }

  isAlone(claim: ModelClaim): boolean {
    return this.#heldBy(claim.principal) === claim.held;
  }

  /** Whether the rules let a claim have so much more, its turn apart. */
  may(claim: ModelClaim, amount: number, isFull = false): boolean {
    return this.isAlone(claim) ||
      (!isFull && this.used + amount <= this.#limit &&
        this.withinQuota(claim, amount));
  }

  withinQuota({ principal }: ModelClaim, amount: number): boolean {
    const othersWait = this.claims.some((other) =>
      other.wants > 0 && other.principal !== principal
    );
    return !othersWait || this.#heldBy(principal) + amount <= this.#quota;
  }

  take(claim: ModelClaim, amount: number): void {
    const mustQueue = claim.held === 0 &&
      this.claims.some(({ wants }) => wants > 0);
    if (this.isAlone(claim) || (!mustQueue && this.may(claim, amount))) {
      claim.held += amount;
      return;
    }
    claim.wants = amount;
    claim.since = this.#steps++;
    if (!this.#turn.includes(claim.principal)) this.#turn.push(claim.principal);
    this.serve();
  }

  serve(): void {
    while (this.#serveOne());
    const holders = this.claims.filter(({ held }) => held > 0);
    if (holders.length === 0 || holders.some(({ wants }) => wants === 0)) {
      return;
    }
    const newest = holders.at(-1)!;
    newest.outcome = "refused";
    this.#stop(newest);
  }

  leave(claim: ModelClaim): void {
    this.claims.splice(this.claims.indexOf(claim), 1);
    this.#stop(claim);
    this.serve();
  }

  #steps = 0;

  #stop(claim: ModelClaim): void {
    claim.wants = 0;
    const { principal } = claim;
    if (this.#queueOf(principal).length > 0) return;
    const at = this.#turn.indexOf(principal);
    if (at >= 0) this.#turn.splice(at, 1);
  }

  #queueOf(principal: string): ModelClaim[] {
    const queue = this.claims.filter((claim) =>
      claim.principal === principal && claim.wants > 0
    );
    return queue.sort((a, b) =>
      Number(a.held === 0) - Number(b.held === 0) || a.since - b.since
    );
  }

  #serveOne(): boolean {
    let isFull = false;
    for (const principal of this.#turn) {
      const queue = this.#queueOf(principal);
      const head = queue[0]!;
      const next = queue.find((claim) => this.isAlone(claim)) ??
        (this.may(head, head.wants, isFull) ? head : undefined);
      if (next === undefined) {
        isFull ||= this.withinQuota(head, head.wants);
        continue;
      }
      next.held += next.wants;
      next.outcome = "taken";
      this.#stop(next);
      const at = this.#turn.indexOf(principal);
      if (at >= 0) this.#turn.push(...this.#turn.splice(at, 1));
      return true;
    }
    return false;
  }

  #heldBy(principal: string): number {
    return sum(this.claims.filter((claim) => claim.principal === principal));
  }
}

interface ModelClaim {
  readonly principal: string;
  held: number;
  /** What it waits for, 0: it does not. */
  wants: number;
  since: number;
  outcome: "none" | "taken" | "refused";
}

function sum(claims: readonly ModelClaim[]): number {
  return claims.reduce((total, { held }) => total + held, 0);
}

interface Pair {
  readonly real: Claim;
  readonly model: ModelClaim;
  wait: { text: string };
}

const STEP = fc.oneof(
  fc.record({
    kind: fc.constant("open" as const),
    who: fc.constantFrom("a", "b", "c"),
  }),
  ...(["take", "take", "add", "release", "close"] as const).map((kind) =>
    fc.record({
      kind: fc.constant(kind),
      which: fc.nat(100),
      amount: fc.integer({ min: 1, max: 9 }),
    })
  ),
);

Deno.test("SharedPool does what the naive model does, in any order of events", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { maxLength: 60, size: "max" }),
      fc.constantFrom<ShareClass>("read", "write"),
      async (steps, of) => {
        const pool = poolOf(48);
        const model = new Model(48);
        const pairs: Pair[] = [];
        const close = async (pair: Pair) => {
          pairs.splice(pairs.indexOf(pair), 1);
          model.leave(pair.model);
          pair.real.close();
          await settle();
        };
        for (const step of steps) {
          if (step.kind === "open") {
            const made: ModelClaim = {
              ...{ principal: step.who, held: 0, wants: 0, since: 0 },
              outcome: "none",
            };
            model.claims.push(made);
            const real = pool.claim(step.who, of);
            pairs.push({ real, model: made, wait: { text: "none" } });
            continue;
          }
          const pair = pairs[step.which % Math.max(1, pairs.length)];
          if (pair === undefined) continue;
          const { held, wants } = pair.model;
          if (step.kind === "take" && wants === 0) {
            pair.model.outcome = "none";
            model.take(pair.model, step.amount);
            if (pair.real.tryTake(step.amount)) pair.wait = { text: "none" };
            else pair.wait = outcomeOf(pair.real.take(step.amount));
          } else if (step.kind === "add" && wants === 0) {
            pair.model.held += step.amount;
            pair.real.add(step.amount);
          } else if (step.kind === "release" && wants === 0 && held > 0) {
            const amount = Math.min(held, step.amount);
            pair.model.held -= amount;
            if (pairs.some(({ model }) => model.wants > 0)) model.serve();
            pair.real.release(amount);
          } else if (step.kind === "close") await close(pair);
          await settle();
          // Whoever is refused goes.
          for (;;) {
            const gone = pairs.find(({ model }) => model.outcome === "refused");
            if (gone === undefined) break;
            assert.equal(gone.wait.text, "refused");
            await close(gone);
          }
          assert.equal(pool.inUse(of), model.used);
          for (const { real, model: wanted, wait } of pairs) {
            assert.equal(real.held, wanted.held);
            assert.equal(wait.text === "waiting", wanted.wants > 0);
            // Rule 2, said once more: nobody waits who holds nothing else.
            assert.ok(wanted.wants === 0 || !model.isAlone(wanted));
          }
        }
        for (const { real } of pairs) real.close();
        await settle();
        assert.equal(pool.inUse(), 0);
      },
    ),
    { numRuns: fuzzRuns(2000) },
  );
});

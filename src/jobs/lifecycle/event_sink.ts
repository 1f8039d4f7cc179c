/**
 * Job events and node states that come by message. They do the work of the HTTP routes
 * with the rights of a pure API client, since only the broker knows the sender. Main
 * thread.
 */
import { type AccessState, UserPrincipal } from "../../access/mod.ts";
import { nowSec } from "../../base/clock.ts";
import type { JobEventSink } from "../../nats/job_event_queue.ts";
import { startJob, stopJob } from "./lifecycle.ts";
import { storeNodeStates } from "./node_states.ts";
import type { JobServices } from "./services.ts";

export class JobEvents implements JobEventSink {
  readonly #services: JobServices;
  readonly #sender: UserPrincipal;

  constructor(services: JobServices, access: AccessState) {
    this.#services = services;
    this.#sender = new UserPrincipal({
      // The name of no subject: a user may be called the same.
      ...{ name: "nats", roles: ["api"], isSubject: false },
    }, access);
  }

  startJob(json: string): Promise<void> {
    return startJob(this.#services, this.#sender, json, nowSec());
  }

  async stopJob(json: string): Promise<void> {
    await stopJob(this.#services, this.#sender, json, nowSec());
  }

  nodeState(json: string, timeSec = nowSec()): Promise<void> {
    return storeNodeStates(this.#services, json, timeSec);
  }
}

/** What the routes of the admin and job APIs work with. Main thread. */
import type { AccountServices } from "../accounts/services.ts";
import type { AccessState } from "../auth/mod.ts";
import type { NatsStatus } from "../nats/nats_service.ts";

export interface Services {
  readonly access: AccessState;
  readonly accounts: AccountServices;
  /** Absent: no broker is configured. */
  readonly nats?: NatsStatus | undefined;
}

/**
 * A program that a broker refuses until one of its sockets is reset after the
 * client library has let it go, which the test runner would not leave to it:
 * `deno run refused_client.ts ADDRESS`. Ends with 0 when it lived through that.
 */
import { connect } from "@nats-io/transport-node";
import { takeLostSocketErrors } from "../../src/nats/lost_sockets.ts";

const [servers = ""] = Deno.args;
const AT_ONCE = 8;
let taken = 0;
takeLostSocketErrors({ debug: () => taken++ }, new AbortController().signal);
while (taken === 0) {
  await Promise.allSettled(
    Array.from(
      { length: AT_ONCE },
      () => connect({ servers, user: "a", pass: "wrong", reconnect: false }),
    ),
  );
}
Deno.exit(0);

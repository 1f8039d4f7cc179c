/**
 * Keeps a broken connection to the broker from ending the process. Main thread.
 *
 * The client library takes all listeners off a socket between the steps of a connection
 * and when it gives one up. A reset that arrives then is an `error` event without a
 * listener, and such an event ends a process. A broker that refuses a credential resets
 * the connection at just that moment.
 */
import type { Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

let isInstalled = false;

/** Every socket the library makes from now on has a listener that stays. */
export function guardSockets(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { dial } = NodeTransport.prototype;
  NodeTransport.prototype.dial = async function (address) {
    const socket = await dial.call(this, address);
    keepListening(socket);
    return socket;
  };
}

/** Keeps a listener of errors on the socket; other listeners get errors as before. */
function keepListening(socket: Socket): void {
  const removeAll = socket.removeAllListeners;
  socket.removeAllListeners = function (...event) {
    // Without an argument it removes all of them, with `undefined` none.
    removeAll.apply(this, event);
    return this.on("error", ignore);
  };
  socket.on("error", ignore);
}

/** The library learns from `close` that the connection is gone. */
function ignore(): void {}

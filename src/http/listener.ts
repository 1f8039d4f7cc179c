/**
 * The listening socket: plain or TLS, with the time limits that cut slow clients,
 * and the orderly end. Main thread.
 */
import { readFile } from "node:fs/promises";
import {
  createServer,
  type Server,
  type ServerOptions,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { RequestListener } from "./dispatch.ts";
import type { HttpConfig } from "./http_context.ts";
import type { HttpLimits } from "./limits.ts";

export interface Listener {
  readonly server: Server;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  readonly port: number;
}

/** How often connections are looked at that became idle during the stop. */
const CLOSE_SWEEP_MS = 50;

/** Listens; rejects when the address is taken or a certificate cannot be read. */
export async function listen(
  config: HttpConfig,
  limits: HttpLimits,
  dispatch: RequestListener,
): Promise<Listener> {
  const secure = config["https-cert-file"] !== "";
  const server = secure
    ? await createSecureServer(config, limits)
    : createServer(serverOptions(limits));
  const sockets = new Set<Socket>();
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("request", dispatch);
  server.on("clientError", answerBrokenRequest);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.addr.port, config.addr.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return { server, sockets, port: (server.address() as AddressInfo).port };
}

/**
 * Deno's TLS has no other suites for TLS 1.2 than ECDHE with AES-GCM or ChaCha20,
 * and takes no list of them; TLS 1.1 it does not know.
 */
async function createSecureServer(
  config: HttpConfig,
  limits: HttpLimits,
): Promise<Server> {
  const [cert, key] = await Promise.all([
    readFile(config["https-cert-file"]),
    readFile(config["https-key-file"]),
  ]);
  return createTlsServer({
    ...serverOptions(limits),
    cert,
    key,
    minVersion: "TLSv1.2",
  });
}

function serverOptions(limits: HttpLimits): ServerOptions {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headerBytes,
    noDelay: true,
  };
}

/** Too slow, too long or no HTTP: says so if it still can, and hangs up. */
function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = brokenRequestStatus(error.code);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
      "Connection: close\r\nContent-Length: 0\r\n\r\n",
    () => socket.destroy(),
  );
}

function brokenRequestStatus(code: string | undefined): 400 | 408 | 431 {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}

/**
 * Takes no new connections, closes those without a request in `busy`, lets the
 * others finish, and cuts what is left after `closeMs`.
 */
export async function stopListening(
  listener: Listener,
  busy: () => ReadonlySet<Socket>,
  closeMs: number,
): Promise<void> {
  const { server, sockets } = listener;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closeIdle = () => {
    const working = busy();
    for (const socket of sockets) {
      if (!working.has(socket)) socket.destroySoon();
    }
  };
  closeIdle();
  const sweep = setInterval(closeIdle, CLOSE_SWEEP_MS);
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, closeMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}

/** How a connection ends whose client is still sending. Main thread. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpLimits } from "./limits.ts";

/**
 * The answer is complete for the client, but ending it now would reset the
 * connection while the client still sends, and it might never see the answer.
 */
export function drainRequest(
  req: IncomingMessage,
  res: ServerResponse,
  limits: Pick<HttpLimits, "lingerBytes" | "lingerMs">,
): void {
  let left = limits.lingerBytes;
  const end = () => {
    clearTimeout(timer);
    req.removeAllListeners("data");
    res.end();
  };
  const timer = setTimeout(end, limits.lingerMs);
  req.on("data", (chunk: Uint8Array) => {
    left -= chunk.byteLength;
    if (left < 0) end();
  });
  req.once("end", end);
  req.once("close", end);
  req.resume();
}

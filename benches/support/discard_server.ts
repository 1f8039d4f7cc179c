/**
 * Our front door without the house behind it: `node:http` reading bodies and
 * throwing them away. Its rate is the limit of what ingest can reach. The only
 * argument is the port.
 */
import { createServer } from "node:http";

if (import.meta.main) {
  const port = Number(Deno.args[0]);
  createServer((request, response) => {
    request.on("data", discard);
    request.on("end", () => {
      response.writeHead(200, { "Content-Length": "0" });
      response.end();
    });
  }).listen(port, "127.0.0.1");
}

function discard(): void {}

/**
 * Our front door without the house behind it: `node:http` reading bodies and
 * throwing them away. Its rate is the limit of what ingest can reach. Arguments: the
 * port, and how many bytes a request to another path than the write endpoint gets.
 */
import { createServer } from "node:http";

if (import.meta.main) {
  const port = Number(Deno.args[0]);
  const answer = "x".repeat(Number(Deno.args[1] ?? 0));
  createServer({ keepAliveTimeout: 0 }, (request, response) => {
    request.on("data", discard);
    request.on("end", () => {
      if (request.url?.startsWith("/api/query") === true) {
        response.setHeader("Content-Type", "application/json");
        response.setHeader("Content-Length", answer.length);
        response.end(answer, "latin1");
        return;
      }
      response.writeHead(200, { "Content-Length": "0" });
      response.end();
    });
  }).listen(port, "127.0.0.1");
}

function discard(): void {}

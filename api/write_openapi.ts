/** Writes api/openapi.json from the routes: `deno task openapi`. */
import { describedRoutes } from "../src/app/routes/described_routes.ts";
import { openApiText } from "../src/app/routes/openapi.ts";

await Deno.writeTextFile(
  new URL("openapi.json", import.meta.url),
  openApiText(describedRoutes()),
);

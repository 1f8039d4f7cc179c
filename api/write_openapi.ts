/** Writes api/openapi.json from the routes: `deno task openapi`. */
import { openApiText } from "../src/app/routes/openapi.ts";

await Deno.writeTextFile(
  new URL("openapi.json", import.meta.url),
  openApiText(),
);

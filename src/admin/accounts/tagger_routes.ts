/**
 * `/config/taggers`: there are no taggers here, and clients that ask are told so.
 * Main thread.
 */
import { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { FORM_TYPE, readForm } from "../../http/body/form.ts";

const taggersSchema = z.array(z.string()).max(0).meta({ id: "Taggers" });

const runSchema = z.object({ name: z.string().min(1) })
  .meta({ id: "RunTagger" });

async function run(call: ApiCall): Promise<ApiAnswer> {
  const name = (await readForm(call))("name");
  if (name === "") {
    throw new ClientError(
      "E_BAD_REQUEST",
      "name: the name of a tagger is needed",
    );
  }
  throw new ClientError(
    "E_CONFLICT",
    `name: there is no tagger ${JSON.stringify(name.slice(0, 60))}`,
  );
}

export const TAGGER_ROUTES: readonly ApiRoute[] = [
  {
    kind: "api",
    group: "config",
    path: "/config/taggers",
    name: "taggers",
    operations: {
      GET: {
        id: "taggers",
        summary: "Taggers of jobs; there are none",
        answer: { type: JSON_TYPE, schema: taggersSchema },
        handle: () => json(200, []),
      },
    },
  },
  {
    kind: "api",
    group: "config",
    path: "/config/taggers/run",
    name: "run-tagger",
    operations: {
      POST: {
        id: "runTagger",
        summary: "Run a tagger; there are none",
        body: { type: FORM_TYPE, schema: runSchema, required: true },
        answer: { type: "text/plain" },
        errors: { 409: "There is no such tagger." },
        handle: run,
      },
    },
  },
];

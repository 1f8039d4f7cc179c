/**
 * Swagger UI under `/swagger/`, with `-dev` only. The assets are imported as
 * text, so they are in the module graph: no read permission is needed and the
 * compiled binary carries them. They are loaded when first asked for.
 */
import { htmlPage, PAGE_NOT_FOUND } from "../../http/answer/page_answer.ts";
import type { ApiAnswer, ApiCall } from "../../http/api_route.ts";
import type { PageRoute } from "../../http/route.ts";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>ringstore API</title>
<link rel="stylesheet" href="/swagger/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script src="/swagger/start.js"></script>
</html>
`;

const START = `SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
});
`;

const HEADERS = {
  "Content-Security-Policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
};

async function loadAsset(
  file: string,
): Promise<{ type: string; text: string } | undefined> {
  switch (file) {
    case "start.js":
      return { type: "text/javascript; charset=utf-8", text: START };
    case "swagger-ui.css": {
      const css = await import("swagger-ui-dist/swagger-ui.css", {
        with: { type: "text" },
      });
      return { type: "text/css; charset=utf-8", text: css.default };
    }
    case "swagger-ui-bundle.js": {
      const bundle = await import("swagger-ui-dist/swagger-ui-bundle.js", {
        with: { type: "text" },
      });
      return { type: "text/javascript; charset=utf-8", text: bundle.default };
    }
    default:
      return undefined;
  }
}

async function asset({ params }: ApiCall): Promise<ApiAnswer> {
  const found = await loadAsset(params["file"] ?? "");
  if (found === undefined) return PAGE_NOT_FOUND;
  return {
    status: 200,
    headers: { "Content-Type": found.type },
    body: found.text,
  };
}

/** They are there with `dev` alone. */
export function swaggerRoutes(dev: boolean): readonly PageRoute[] {
  return [
    {
      kind: "page",
      group: "page",
      path: "/swagger",
      name: "swagger",
      access: "public",
      when: () => dev,
      undocumented: true,
      operations: {
        GET: {
          id: "swagger",
          summary: "Swagger UI",
          handle: () => htmlPage(PAGE, HEADERS),
          answer: { type: "text/html" },
        },
      },
    },
    {
      kind: "page",
      group: "page",
      path: "/swagger/:file",
      name: "swagger",
      access: "public",
      when: () => dev,
      undocumented: true,
      operations: {
        GET: {
          id: "swaggerAsset",
          summary: "A file of Swagger UI",
          handle: asset,
          answer: { type: "text/plain" },
        },
      },
    },
  ];
}

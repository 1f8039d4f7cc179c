/**
 * The one HTML text of all pages: it holds no data, so that it is the same for
 * everybody (web 6). And what is shown in its place where nothing was built. Pure.
 */
import { ASSETS_PATH, type PageAssets } from "./assets.ts";

/** The page that the scripts fill. */
export function shellHtml({ script, style }: PageAssets): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ringstore</title>
<link rel="stylesheet" href="${ASSETS_PATH}/${style}">
<script type="module" src="${ASSETS_PATH}/${script}"></script>
</head>
<body>
<div id="app"></div>
<noscript><p>This page needs JavaScript. <a href="/login">Signing in</a> works without.</p></noscript>
</body>
</html>
`;
}

/** A page of one sentence, without style and script. */
export function plainPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<h1>ringstore</h1>
<p>${body}</p>
</html>
`;
}

/** Advice where there are no pages. */
export const NOT_BUILT =
  "The pages are not built. Run <code>deno task web</code>, then start the server again.";

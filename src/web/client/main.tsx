/** Where the pages begin: puts the application into the shell that the server sends. */
import { render } from "preact";
import { App } from "./app.tsx";
import { startRouter } from "./router.ts";
import { applyTheme } from "./state/theme.ts";

applyTheme();
startRouter();
render(<App />, document.getElementById("app") ?? document.body);

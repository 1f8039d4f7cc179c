/** Where the pages begin: puts the application into the shell that the server sends. */
import { render } from "preact";

function App() {
  return <main>ringstore</main>;
}

render(<App />, document.getElementById("app") ?? document.body);

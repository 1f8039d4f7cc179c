/** A path that leads nowhere. */
import type { JSX } from "preact";
import { place } from "../router.ts";
import { Name } from "../parts/text.tsx";

export function NotThere(): JSX.Element {
  return (
    <>
      <h1>Nothing is here</h1>
      <p>
        <Name text={place.value.path} /> is no page of this server.
      </p>
      <p class="row">
        <a class="button" href="/">Home</a>
        <a class="button" href="/monitoring/jobs/">Jobs</a>
      </p>
    </>
  );
}

/** The application: the frame, and the view of the place one is at. */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isSignedOut } from "./api.ts";
import { Part } from "./parts/part.tsx";
import { PageFrame } from "./parts/page_frame.tsx";
import { SignIn } from "./parts/sign_in.tsx";
import { place } from "./router.ts";
import { useAnswer } from "./state/answer.ts";
import { loadClusters, loadSession } from "./state/session.ts";

const SESSION_SEC = 60;

type View = ComponentType<{ id: string }>;

interface Route {
  readonly pattern: RegExp;
  readonly title: string;
  readonly load: () => Promise<View>;
}

/** Each view is a file that is loaded when it is first shown. */
const ROUTES: readonly Route[] = [
  {
    pattern: /^\/$/,
    title: "Home",
    load: async () => (await import("./views/home.tsx")).Home,
  },
  {
    pattern: /^\/monitoring\/jobs\/?$/,
    title: "Jobs",
    load: async () => (await import("./views/jobs.tsx")).Jobs,
  },
  {
    pattern: /^\/monitoring\/job\/(\d{1,16})\/?$/,
    title: "Job",
    load: async () => (await import("./views/job.tsx")).Job,
  },
  {
    pattern: /^\/(?:monitoring\/settings|config)\/?$/,
    title: "Settings",
    load: async () => (await import("./views/settings.tsx")).Settings,
  },
];

const NOT_THERE: Route = {
  pattern: /^/,
  title: "Not there",
  load: async () => (await import("./views/not_there.tsx")).NotThere,
};

export function App(): JSX.Element {
  const session = useAnswer("session", async () => {
    await loadSession();
    await loadClusters();
    return true;
  }, SESSION_SEC);
  return (
    <>
      <PageFrame>
        <Part of={session} height={400}>{() => <CurrentView />}</Part>
      </PageFrame>
      {isSignedOut.value && <SignIn />}
    </>
  );
}

function CurrentView(): JSX.Element | null {
  const { path } = place.value;
  const route = ROUTES.find(({ pattern }) => pattern.test(path)) ?? NOT_THERE;
  const id = route.pattern.exec(path)?.[1] ?? "";
  const [shown, show] = useState<{ route: Route; view: View }>();
  const [error, setError] = useState("");
  useEffect(() => {
    let isLeft = false;
    document.title = `${route.title} – ringstore`;
    route.load().then(
      (view) => !isLeft && show({ route, view }),
      () => !isLeft && setError("This page could not be loaded."),
    );
    return () => isLeft = true;
  }, [route]);
  if (error !== "") {
    return (
      <div class="part-note trouble" role="alert">
        <strong>{error}</strong>
        <span>The server may have newer pages.</span>
        <button type="button" onClick={() => location.reload()}>
          Load again
        </button>
      </div>
    );
  }
  if (shown?.route !== route) return null;
  return <shown.view key={id} id={id} />;
}

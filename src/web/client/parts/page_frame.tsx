/** The surroundings of every view: rail, bar, strips, keys (web 3.0). */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "../icons.tsx";
import { go, place } from "../router.ts";
import { isPaused, refreshes } from "../state/answer.ts";
import { isOutdated, saveSetting, session, setting } from "../state/session.ts";
import { lastAnswerSec } from "../api.ts";
import { second } from "../clock.ts";
import { formatMoment } from "../../shared/times.ts";
import { zone } from "../state/session.ts";
import { Help } from "./help.tsx";
import { visible } from "./text.tsx";

const LINKS: readonly {
  href: string;
  name: string;
  icon: IconName;
  is: RegExp;
}[] = [
  { href: "/", name: "Home", icon: "home", is: /^\/$/ },
  {
    href: "/monitoring/jobs/",
    name: "Jobs",
    icon: "jobs",
    is: /^\/monitoring\/job/,
  },
  {
    href: "/monitoring/settings",
    name: "Settings",
    icon: "settings",
    is: /^\/(monitoring\/settings|config)/,
  },
];

export function PageFrame(
  { children }: { children: ComponentChildren },
): JSX.Element {
  const [isHelp, setHelp] = useState(false);
  useKeys(() => setHelp(true));
  return (
    <div class="page">
      <a class="skip" href="#content">Skip to the content</a>
      <nav class="rail" aria-label="Views">
        <a class="brand" href="/">
          <Icon name="logo" size={22} />
          <span>ringstore</span>
        </a>
        {LINKS.map(({ href, name, icon, is }) => (
          <a
            key={href}
            class="rail-link"
            href={href}
            aria-label={name}
            aria-current={is.test(place.value.path) ? "page" : undefined}
          >
            <Icon name={icon} />
            <span>{name}</span>
          </a>
        ))}
        <span class="rail-foot small muted">{session.value?.version}</span>
      </nav>
      <div>
        <header class="bar-top">
          <SearchBox />
          <div class="end">
            <LiveSwitch />
            <button
              type="button"
              class="plain"
              aria-label="Help and keys"
              onClick={() => setHelp(true)}
            >
              <Icon name="help" />
            </button>
            <UserMenu />
          </div>
        </header>
        <Strips />
        <main class="content" id="content" tabIndex={-1}>{children}</main>
      </div>
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function SearchBox(): JSX.Element {
  return (
    <form class="search" role="search" action="/search" method="get">
      <input
        id="search"
        name="searchId"
        type="search"
        placeholder="Search: job id, name, user…"
        aria-label="Search for jobs"
        autoComplete="off"
      />
    </form>
  );
}

function LiveSwitch(): JSX.Element {
  const age = second.value - lastAnswerSec.value;
  const isOff = isPaused.value;
  const isLate = !isOff && lastAnswerSec.value > 0 && age > 120;
  const words = isOff
    ? "paused"
    : isLate
    ? `not updated since ${
      formatMoment(lastAnswerSec.value, zone.value).slice(11)
    }`
    : lastAnswerSec.value === 0
    ? "live"
    : `live, ${Math.max(0, age)} s ago`;
  return (
    <button
      type="button"
      class={`plain live ${isOff ? "off" : isLate ? "late" : "on"}`}
      title={isOff ? "Go on (p)" : "Pause (p)"}
      onClick={() => isPaused.value = !isPaused.value}
    >
      <span class="dot" aria-hidden="true" />
      <span class="live-words small">{words}</span>
      <span class="visually-hidden">{isOff ? ": go on" : ": pause"}</span>
      <Icon name={isOff ? "play" : "pause"} size={14} />
    </button>
  );
}

function UserMenu(): JSX.Element | null {
  const [isOpen, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: Event) => {
      if (!ref.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", escape);
    };
  }, [isOpen]);
  const { value } = session;
  if (value === undefined) return null;
  const { username, name, roles } = value.user;
  const isDark = document.documentElement.dataset.theme === "dark";
  return (
    <div class="menu" ref={ref}>
      <button
        type="button"
        class="plain"
        aria-expanded={isOpen}
        aria-label={`Menu of ${username}`}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="user" />
        <span class="cut live-words">{visible(username).slice(0, 20)}</span>
      </button>
      {isOpen && (
        <div class="menu-list">
          <p class="small muted">
            {visible(name || username).slice(0, 60)}
            <br />
            {roles.join(", ")}
          </p>
          <button
            type="button"
            onClick={() => saveSetting("web.theme", isDark ? "light" : "dark")}
          >
            {isDark ? "Light theme" : "Dark theme"}
          </button>
          <a href="/monitoring/settings">Settings</a>
          {value.authentication && (
            <form method="post" action="/logout" onSubmit={tellOtherTabs}>
              <button type="submit">Sign out</button>
            </form>
          )}
        </div>
      )}
    </div>
  );
}

const CHANNEL = "ringstore";

function tellOtherTabs(): void {
  new BroadcastChannel(CHANNEL).postMessage("signed out");
}

function Strips(): JSX.Element {
  const { value } = session;
  return (
    <>
      {value?.authentication === false && (
        <section class="strip danger" aria-label="Warning">
          Authentication is off: everybody who reaches this server is an
          administrator.
        </section>
      )}
      {isOutdated.value && (
        <section class="strip warn row" aria-label="Newer pages">
          The server has newer pages.
          <button
            type="button"
            onClick={() =>
              location.reload()}
          >
            Load again
          </button>
        </section>
      )}
      {value !== undefined && value.notice !== "" && (
        <section class="strip" aria-label="Notice">
          {visible(value.notice)}
        </section>
      )}
    </>
  );
}

/** One-letter keys, unless people turned them off or are writing something. */
function useKeys(showHelp: () => void): void {
  const isWaiting = useRef(false);
  useEffect(() => {
    const places: Record<string, string> = {
      h: "/",
      j: "/monitoring/jobs/",
      s: "/monitoring/settings",
    };
    const keys: Record<string, () => void> = {
      "/": () => document.getElementById("search")?.focus(),
      "?": showHelp,
      p: () => isPaused.value = !isPaused.value,
      r: () => refreshes.value++,
      g: () => {
        isWaiting.current = true;
        setTimeout(() => isWaiting.current = false, 1500);
      },
    };
    const onKey = (event: KeyboardEvent) => {
      if (!setting("web.keys") || event.defaultPrevented) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target as HTMLElement;
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const href = isWaiting.current ? places[event.key] : undefined;
      if (href !== undefined) {
        isWaiting.current = false;
        event.preventDefault();
        go(href);
        return;
      }
      const act = keys[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    const channel = new BroadcastChannel(CHANNEL);
    // The shell would load again and show the sign-in form.
    channel.onmessage = () => location.assign("/login");
    document.addEventListener("keydown", onKey);
    return () => {
      channel.close();
      document.removeEventListener("keydown", onKey);
    };
  }, []);
}

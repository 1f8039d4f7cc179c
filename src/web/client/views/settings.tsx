/** web V12: how one likes to see things, and a token for scripts. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, getText } from "../api.ts";
import { second } from "../clock.ts";
import { Command } from "../parts/copy_button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import {
  clusters,
  saveSetting,
  session,
  setting,
  type SettingKey,
  zone,
} from "../state/session.ts";
import { formatMoment, knownZone, zoneOffset } from "../../shared/times.ts";

const ZONE_KINDS = ["browser", "utc"];

export function Settings(): JSX.Element {
  return (
    <>
      <div class="view-head">
        <h1>Settings</h1>
      </div>
      <div class="settings">
        <section class="card">
          <h2>Looks</h2>
          <Choice
            name="Theme"
            of="web.theme"
            values={[["system", "as the system"], ["light", "light"], [
              "dark",
              "dark",
            ]]}
          />
          <Choice
            name="Density"
            of="web.density"
            values={[["comfortable", "comfortable"], ["compact", "compact"]]}
          />
          <Choice
            name="Heat maps"
            of="web.scheme"
            values={[["cividis", "cividis"], ["viridis", "viridis"]]}
          />
          <Choice
            name="Plots in a row"
            of="web.plotsPerRow"
            values={[[0, "as fits"], [1, "1"], [2, "2"], [3, "3"], [4, "4"]]}
          />
        </section>
        <section class="card">
          <h2>Time</h2>
          <Zone />
          <p class="muted">
            Now it is {formatMoment(second.value, zone.value)}{" "}
            {zoneOffset(second.value, zone.value)} ({zone.value}).
          </p>
        </section>
        <section class="card">
          <h2>Use</h2>
          <Choice
            name="One-letter keys"
            of="web.keys"
            values={[[true, "on"], [false, "off"]]}
          />
          <label class="field">
            <span>Cluster shown first</span>
            <select
              value={setting("web.defaultCluster")}
              onChange={(event) =>
                save("web.defaultCluster", event.currentTarget.value)}
            >
              <option value="">all of them</option>
              {clusters.value.map(({ name }) => (
                <option key={name} value={name}>{name}</option>
              ))}
            </select>
          </label>
        </section>
        {session.value?.authentication && <Token />}
      </div>
    </>
  );
}

function save(key: SettingKey, value: unknown): void {
  // Trouble is told by what does not stay; the value holds for this page.
  saveSetting(key, value).catch((error) => {
    if (!(error instanceof ApiError)) throw error;
  });
}

function Choice(
  { name, of, values }: {
    name: string;
    of: SettingKey;
    values: readonly (readonly [string | number | boolean, string])[];
  },
): JSX.Element {
  const now = setting(of);
  return (
    <div class="field" role="group" aria-label={name}>
      <span>{name}</span>
      <span class="choices">
        {values.map(([value, word]) => (
          <button
            type="button"
            key={word}
            aria-pressed={now === value}
            onClick={() => save(of, value)}
          >
            {word}
          </button>
        ))}
      </span>
    </div>
  );
}

function Zone(): JSX.Element {
  const now = setting("web.zone");
  const isNamed = !ZONE_KINDS.includes(now);
  const [problem, setProblem] = useState("");
  const take = (name: string) => {
    const known = knownZone(name.trim());
    setProblem(known === undefined ? `There is no zone ${name}.` : "");
    if (known !== undefined) save("web.zone", known);
  };
  return (
    <>
      <div class="field" role="group" aria-label="Time zone">
        <span>Time zone</span>
        <span class="choices">
          <button
            type="button"
            aria-pressed={now === "browser"}
            onClick={() => save("web.zone", "browser")}
          >
            {session.value?.timeZone ? "of the centre" : "of this machine"}
          </button>
          <button
            type="button"
            aria-pressed={now === "utc"}
            onClick={() => save("web.zone", "utc")}
          >
            UTC
          </button>
        </span>
      </div>
      <label class="field">
        <span>or by name</span>
        <input
          placeholder="Europe/Berlin"
          defaultValue={isNamed ? now : ""}
          onChange={(event) => take(event.currentTarget.value)}
        />
      </label>
      {problem !== "" && <p class="alert" role="alert">{problem}</p>}
    </>
  );
}

function Token(): JSX.Element {
  const [token, setToken] = useState("");
  const [error, setError] = useState("");
  const user = session.value?.user.username ?? "";
  const make = async () => {
    setError("");
    try {
      const query = new URLSearchParams({ username: user });
      setToken((await getText(`/frontend/jwt/?${query}`)).trim());
    } catch (trouble) {
      if (!(trouble instanceof ApiError)) throw trouble;
      setError(trouble.message);
    }
  };
  return (
    <section class="card">
      <h2>A token for scripts</h2>
      <p>
        Scripts act with it as you do. It is shown once; who has it can do what
        you can, until it ends.
      </p>
      <button type="button" onClick={make}>Make a token</button>
      {error !== "" && <p class="alert" role="alert">{error}</p>}
      {token !== "" && (
        <Dialog title="Your token">
          <p>Keep it now: this is the only time it is shown.</p>
          <Command text={token} label="the token" />
          <p>Used like this:</p>
          <Command
            text={`curl -H "Authorization: Bearer $TOKEN" ${location.origin}/userapi/jobs/`}
            label="an example"
          />
          <button type="button" class="primary" onClick={() => setToken("")}>
            I have it
          </button>
        </Dialog>
      )}
    </section>
  );
}

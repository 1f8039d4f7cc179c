/** Metrics of tokens that end before long. Main thread. */
import { Gauge, type Registry } from "prom-client";
import type { EndingCredentials } from "./ending_credentials.ts";

/** Registers them; does nothing where nobody keeps count. */
export function registerEndings(
  registry: Registry,
  endings: EndingCredentials | undefined,
): void {
  if (endings === undefined) return;
  const register = (
    name: string,
    help: string,
    value: () => number,
  ) =>
    new Gauge({
      name: `ringstore_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  register(
    "credentials_ending_soon",
    "Tokens used in the last two days that end within 30 days.",
    () => endings.stats.count,
  );
  register(
    "credentials_first_end_timestamp_seconds",
    "When the first of them ends; 0: there is none.",
    () => endings.stats.firstSec,
  );
}

/** Being asked to stop, by systemd or a person at the keyboard. */

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Status of a program that was told twice and left its work. */
const IMPATIENT_STATUS = 1;

/**
 * Resolves with the name of the first signal; the second one ends the program at
 * once. Listens from the call on, also during the start.
 */
export function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (asked) Deno.exit(IMPATIENT_STATUS);
        asked = true;
        resolve(signal);
      });
    }
  });
}

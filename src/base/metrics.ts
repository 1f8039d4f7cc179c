/**
 * Metrics of the server that are filled when they are read. Their names begin with
 * `ringstore_`; each subsystem registers its own. Main thread.
 */
import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type Registry,
} from "prom-client";

/** `fill` counts anew from 0 with every rendering. */
export function registerCounter<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: Label[],
  fill: (counter: Counter<Label>) => void,
): void {
  const options: CounterConfiguration<Label> = {
    name: `ringstore_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      fill(this);
    },
  };
  new Counter(options);
}

/** `fill` sets the values with every rendering. */
export function registerGauge<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: Label[],
  fill: (gauge: Gauge<Label>) => void | Promise<void>,
): void {
  new Gauge<Label>({
    name: `ringstore_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      return fill(this);
    },
  });
}

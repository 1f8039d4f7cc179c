/** Levels as symbol, word and colour, and footprints as bars with thresholds. */
import type { JSX } from "preact";
import type {
  FootprintAnswer,
  LevelName,
  MetricAnswer,
} from "../../shared/answers.ts";
import { LEVELS } from "../../shared/levels.ts";
import { formatQuantity } from "../../shared/quantities.ts";

/** The symbol; its word is there for readers and on pointing. */
export function LevelMark(
  { level, withWord = false }: { level: LevelName; withWord?: boolean },
): JSX.Element {
  const { word, symbol, advice } = LEVELS[level];
  return (
    <span class={`level-${level}`} title={`${word}: ${advice}`}>
      <span aria-hidden="true">{symbol}</span>{" "}
      <span class={withWord ? undefined : "visually-hidden"}>{word}</span>
    </span>
  );
}

interface BarProps {
  readonly value: number;
  readonly metric: MetricAnswer | undefined;
  readonly level: LevelName;
}

/** From 0 to the peak, with a mark at each threshold. */
export function LevelBar({ value, metric, level }: BarProps): JSX.Element {
  const peak = metric?.peak ?? 0;
  const share = peak > 0 ? Math.max(0, Math.min(1, value / peak)) : 0;
  const ticks = peak > 0 && metric !== undefined
    ? [metric.alert, metric.caution, metric.normal]
      .filter((limit) => limit > 0 && limit < peak)
    : [];
  return (
    <span class="bar" aria-hidden="true">
      <span
        class={`bar-fill ${level}`}
        style={{ width: `${(share * 100).toFixed(1)}%` }}
      />
      {ticks.map((limit) => (
        <span
          key={limit}
          class="bar-tick"
          style={{ left: `${((limit / peak) * 100).toFixed(1)}%` }}
        />
      ))}
    </span>
  );
}

/** The footprints of a row, small. */
export function SmallPrints(
  { footprint, metrics }: {
    footprint: readonly FootprintAnswer[];
    metrics: readonly MetricAnswer[];
  },
): JSX.Element {
  if (footprint.length === 0) return <span class="muted">–</span>;
  return (
    <span class="prints">
      {footprint.slice(0, 4).map((print) => {
        const metric = metrics.find(({ name }) => name === print.metric);
        const unit = metric?.unit ?? { base: "" };
        return (
          <span
            class="print"
            key={print.metric + print.stat}
            title={`${print.metric} (${print.stat}): ${
              formatQuantity(print.value, unit)
            }, ${LEVELS[print.level].word}`}
          >
            <span class="print-name">{print.metric}</span>
            <LevelBar value={print.value} metric={metric} level={print.level} />
            <LevelMark level={print.level} />
          </span>
        );
      })}
    </span>
  );
}

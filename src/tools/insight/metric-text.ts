/** Metrics for people: shares in percent, and rows that were dropped as a count with its reasons. */
import { percentText } from '../../language/diagnostics/make.js';
import { schemas } from '../../language/schemas/stages/index.js';
import { count, numberText } from '../../pipeline/planner/quantities.js';
import { reasonText } from '../../pipeline/stages/row-report.js';

/** Of a stage, as events and journals have it. */
interface Measured {
  readonly metrics: Readonly<Record<string, number>>;
  /** Rows by the reason for which they were dropped. */
  readonly dropped?: Readonly<Record<string, number>>;
}

/** Names of the metrics that are shares of rows; each has one meaning, whatever the stage. */
const SHARES: ReadonlySet<string> = new Set(
  Object.values(schemas).flatMap(({ metrics }) =>
    Object.entries(metrics).flatMap(([name, { isShare }]) => (isShare ? [name] : [])),
  ),
);

/** Of a name with or without what it belongs to. */
export const isShare = (name: string): boolean => SHARES.has(name.slice(name.lastIndexOf('.') + 1));

/** `0.0019` → `0.19%` where it is a share. */
export const metricText = (name: string, value: number): string =>
  isShare(name) ? percentText(value) : numberText(value);

/** `exact match 93.3%`, `8 dropped: 6 leaks, 2 duplicates` */
export function figureText(name: string, { metrics, dropped }: Measured): string {
  const value = metrics[name] ?? Number.NaN;
  if (name === 'dropped' && dropped !== undefined) return droppedText(dropped);
  const before = metrics[`baseline.${name}`];
  const change = before === undefined ? '' : `${metricText(name, before)} → `;
  const [low, high] = [metrics[`gain_low.${name}`], metrics[`gain_high.${name}`]];
  const doubt = low !== undefined && high !== undefined && low <= 0 && high >= 0 ? ' (may be chance)' : '';
  return `${name.replaceAll('_', ' ')} ${change}${metricText(name, value)}${doubt}`;
}

export const droppedRows = (dropped: NonNullable<Measured['dropped']>): number =>
  Object.values(dropped).reduce((sum, rows) => sum + rows, 0);

/** `8 dropped: 6 leaks, 2 duplicates`, the most common reason first. */
export function droppedText(dropped: NonNullable<Measured['dropped']>): string {
  const reasons = Object.entries(dropped)
    .filter(([, rows]) => rows > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, rows]) => `${count(rows)} ${reasonText(reason, rows)}`);
  const all = droppedRows(dropped);
  return reasons.length === 0 ? 'none dropped' : `${count(all)} dropped: ${reasons.join(', ')}`;
}

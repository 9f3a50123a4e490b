/** Settings as numbers and calls, and numbers as a file would have them. */
import type { CheckedStage } from '../check/stages.js';
import type { Call, Value } from '../ir/types.js';

/** The value at a path, through records and the arguments of calls. */
export function valueAt({ stage }: CheckedStage, path: string): Value | undefined {
  let value: Value | undefined = stage.settings as Readonly<Record<string, Value>>;
  for (const key of path.split('.')) {
    if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value))
      return undefined;
    const record: Readonly<Record<string, Value>> = 'call' in value ? (value as Call).args : (value as never);
    value = Object.hasOwn(record, key) ? record[key] : undefined;
  }
  return value;
}

export const numberAt = (checked: CheckedStage, path: string): number | undefined => {
  const value = valueAt(checked, path);
  return typeof value === 'number' ? value : undefined;
};

export const callAt = (checked: CheckedStage, path: string): Call | undefined => {
  const value = valueAt(checked, path);
  return value !== null && typeof value === 'object' && 'call' in value ? (value as Call) : undefined;
};

/** `3e-3`, `0.02`, `16`: the shorter way to write a number. */
export function written(value: number): string {
  const [plain, scientific] = [`${value}`, value.toExponential()];
  return Math.abs(value) < 0.01 && scientific.length <= plain.length ? scientific : plain;
}

/** `3%` for 0.03. */
export const percent = (share: number): string => `${Number((share * 100).toPrecision(4))}%`;

/** Settings as numbers and calls, and numbers as they are written in a file. */
import type { CheckedStage } from '../check/stages.js';
import type { Call, Value } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import { valueAt as valueIn } from '../schemas/setting-paths.js';

export const valueAt = ({ stage }: CheckedStage, path: string): Value | undefined =>
  valueIn(stage.settings, path);

export const numberAt = (checked: CheckedStage, path: string): number | undefined => {
  const value = valueAt(checked, path);
  return typeof value === 'number' ? value : undefined;
};

export const callAt = (checked: CheckedStage, path: string): Call | undefined => {
  const value = valueAt(checked, path);
  return isCall(value) ? value : undefined;
};

/** `3e-3`, `0.02`, `16`: the shorter way to write a number. */
export function numberText(value: number): string {
  const [plain, scientific] = [`${value}`, value.toExponential()];
  return Math.abs(value) < 0.01 && scientific.length <= plain.length ? scientific : plain;
}

/** `3%` for 0.03. */
export const percent = (share: number): string => `${Number((share * 100).toPrecision(4))}%`;

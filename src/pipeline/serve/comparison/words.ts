/** A comparison in words. */
import { numberText, secondsText, shareText, signed } from '../figures.js';
import type { Comparison } from './compare.js';

type Kind = Comparison['kind'];

/** How a value of each kind is written. */
const VALUES: Readonly<Record<Kind, (value: number) => string>> = {
  share: shareText,
  mean: numberText,
  duration: secondsText,
};

/** How a difference is written, without its sign: of shares in percentage points, of durations in percent. */
const DIFFERENCES: Readonly<Record<Kind, (value: number) => string>> = {
  share: (value) => `${Number((100 * value).toPrecision(3))} points`,
  mean: numberText,
  duration: shareText,
};

const VERDICTS: Readonly<Record<Comparison['verdict'], string>> = {
  real: 'real',
  not_shown: 'not shown',
  too_few: 'too few users yet',
};

export const valueText = ({ kind }: Comparison, value: number): string => VALUES[kind](value);

const differenceText = ({ kind }: Comparison, value: number): string =>
  signed(DIFFERENCES[kind](Math.abs(value)), value);

/** `+3 points (−1 points to +7 points)` */
export const differenceOf = (compared: Comparison): string =>
  `${differenceText(compared, compared.difference)} (${differenceText(compared, compared.interval.low)} to ${differenceText(compared, compared.interval.high)})`;

/** Whether the difference is real, and for better or worse. */
export function verdictOf({ verdict, better, difference }: Comparison): string {
  if (verdict !== 'real' || better === 'neither') return VERDICTS[verdict];
  return (better === 'less') === difference < 0 ? 'real: better' : 'real: worse';
}

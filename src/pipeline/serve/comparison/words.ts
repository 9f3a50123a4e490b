/** A comparison in words. */
import { numberText, secondsText, shareText, signed } from '../figures.js';
import type { Comparison } from './compare.js';

type Kind = Comparison['kind'];

/** How a value of each kind is written. */
const VALUES: Readonly<Record<Kind, (value: number) => string>> = {
  share: shareText,
  mean: numberText,
  fraction: shareText,
  duration: secondsText,
};

const pointsText = (value: number): string => numberText(100 * value);

/** How a difference is written, without its sign and the word `points`: of shares in percentage points, of durations in percent. */
const DIFFERENCES: Readonly<Record<Kind, (value: number) => string>> = {
  share: pointsText,
  mean: numberText,
  fraction: pointsText,
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

/** `+3 (−1 to +7) points` */
export function differenceOf(compared: Comparison): string {
  const { kind, difference, interval } = compared;
  const [middle, low, high] = [difference, interval.low, interval.high].map((value) =>
    differenceText(compared, value),
  );
  return `${middle} (${low} to ${high})${kind === 'share' || kind === 'fraction' ? ' points' : ''}`;
}

/** Whether the difference is real, and for better or worse. */
export function verdictOf({ verdict, better, difference }: Comparison): string {
  if (verdict !== 'real' || better === 'neither') return VERDICTS[verdict];
  return (better === 'less') === difference < 0 ? 'real: better' : 'real: worse';
}

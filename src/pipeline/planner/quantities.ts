/** Bytes, seconds and counts for people. */
import type { StageScale } from './plan-json.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** What numbers are followed by here, after a space that belongs to them. */
const UNIT_NAMES = '[KMGT]iB|B|k|M|G|T|ms|s|min|h|%';
/** The space between a number and its unit: a pattern, for texts that are broken elsewhere. */
export const BEFORE_UNIT = String.raw` (?=(?<=\d )(?:${UNIT_NAMES})(?![\p{L}\d]))`;

/** Three significant digits at most: `372 MiB`, `1.46 GiB`. */
export function bytes(value: number): string {
  const sign = value < 0 ? '-' : '';
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 1023.5 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${sign}${size.toFixed(digits)} ${UNITS[unit]}`;
}

/** Hours from which days say more. */
const LONG = 100;

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`, `12 days 07 h` */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const hours = Math.round(seconds / 3600);
  if (hours >= LONG) return `${count(Math.floor(hours / 24))} days ${pad(hours % 24)} h`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** `0.0042 usd`, `0.42 usd`, `12.5 usd`, `1,240 usd` */
export function usd(value: number): string {
  if (value >= 1000) return `${count(value)} usd`;
  return `${small(value) ?? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} usd`;
}

/** Of what is less than a tenth, the two digits that say something: `0.0042`. `undefined`: there is more, or nothing. */
function small(value: number): string | undefined {
  const rounded = Number(value.toPrecision(2));
  return value > 0 && rounded < 0.1
    ? rounded.toFixed(Math.min(20, 1 - Math.floor(Math.log10(rounded))))
    : undefined;
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** Thousands apart: `12,480`. */
export const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

const POWERS = ['', 'k', 'M', 'G', 'T'] as const;

/** Three significant digits at most: `980`, `12.5 k`, `2.44 M`. */
export function magnitude(value: number): string {
  let size = Math.abs(value);
  let power = 0;
  while (size >= 999.5 && power < POWERS.length - 1) {
    size /= 1000;
    power++;
  }
  const digits = power === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${value < 0 ? '-' : ''}${size.toFixed(digits)}${power === 0 ? '' : ` ${POWERS[power]}`}`;
}

/** A measured number for people: four significant figures, no exponent if it can be helped. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

/** `2,412 rows, 302 steps, trains 325 k of 1.90 M (17.1%)`; empty if nothing is known. */
export function scaleText(scale: StageScale | null): string {
  return [workText(scale), trainedText(scale)].filter((text) => text !== '').join(', ');
}

/** `2,412 rows, 302 steps`: how often something is done, and with how many parameters if none is trained. */
export function workText(scale: StageScale | null): string {
  if (scale === null) return '';
  const { rows, steps, known, trainableParameters: trained, totalParameters: all, judgeCalls, pairs } = scale;
  const noun = pairs === true ? 'pair' : 'row';
  const about = known === 'counted' ? '' : '~';
  return [
    ...(rows === null ? [] : [`${about}${count(rows)} ${noun}${rows === 1 ? '' : 's'}`]),
    ...(steps === null ? [] : [`${about}${count(steps)} ${steps === 1 ? 'step' : 'steps'}`]),
    ...(judgeCalls === undefined ? [] : [`at most ${count(judgeCalls)} calls of a judge`]),
    ...(trained === null && all !== null ? [`${magnitude(all)} parameters`] : []),
  ].join(', ');
}

/** `trains 325 k of 1.90 M (17.1%)`; empty if nothing is trained. */
export function trainedText(scale: StageScale | null): string {
  const { trainableParameters: trained, totalParameters: all } = scale ?? NOTHING;
  return trained === null || all === null
    ? ''
    : `trains ${magnitude(trained)} of ${magnitude(all)} (${share(trained / all)})`;
}

const NOTHING = { trainableParameters: null, totalParameters: null };
const share = (part: number): string => `${(100 * part).toFixed(part >= 0.1 ? 1 : 2)}%`;

/** What a training goes on with after a recovery: `rate 10%, from step 0`. */
export const changeText = (change: Readonly<Record<string, unknown>>): string =>
  Object.entries(change)
    .map(([name, value]) => `${name.replace(/_|(?=[A-Z])/g, ' ').toLowerCase()} ${String(value ?? 'none')}`)
    .join(', ');

/** Numbers within bounds, digit by digit. */
import type { NumberBounds } from './items.js';

/** Digits before the point and after it: as many as a float64 has. */
const DIGITS = 15;

const SHAPE = /^(-?)(0|[1-9]\d*)?(?:(\.)(\d*))?$/;

interface Written {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly hasPoint: boolean;
  readonly fraction: string;
}

function written(text: string, { isInteger }: NumberBounds): Written | undefined {
  const [matched, sign, whole = '', point, fraction = ''] = SHAPE.exec(text) ?? [];
  if (matched === undefined || whole.length > DIGITS || fraction.length > DIGITS) return undefined;
  if (point !== undefined && (isInteger || whole === '')) return undefined;
  return { isNegative: sign === '-', whole, hasPoint: point !== undefined, fraction };
}

const within = (value: number, { least, most, aboveLeast, belowMost }: NumberBounds): boolean =>
  (aboveLeast ? value > least : value >= least) && (belowMost ? value < most : value <= most);

/** Whether the text is a number within the bounds. */
export function isNumber(text: string, bounds: NumberBounds): boolean {
  const number = written(text, bounds);
  if (number === undefined || number.whole === '' || (number.hasPoint && number.fraction === ''))
    return false;
  return within(Number(text), bounds);
}

/** Whether the text is the beginning of such a number, or is one. */
export function mayBecomeNumber(text: string, bounds: NumberBounds): boolean {
  const number = written(text, bounds);
  if (number === undefined) return false;
  if (isNumber(text, bounds)) return true;
  const { isNegative, whole, hasPoint, fraction } = number;
  const reaches = (from: number, to: number): boolean =>
    meets(isNegative ? [-to, -from] : [from, to], bounds);
  // 0 and 10^15 are the ends of what may follow nothing, or a sign
  if (whole === '') return reaches(0, 10 ** DIGITS);
  if (hasPoint) {
    const unit = 10 ** -fraction.length;
    const value = Number(`${whole}.${fraction || '0'}`);
    return fraction.length < DIGITS && reaches(value, value + unit);
  }
  if (!bounds.isInteger && reaches(Number(whole), Number(whole) + 1)) return true;
  for (let more = 1; whole !== '0' && whole.length + more <= DIGITS; more++) {
    const scale = 10 ** more;
    const end = (Number(whole) + 1) * scale;
    if (reaches(Number(whole) * scale, bounds.isInteger ? end - 1 : end)) return true;
  }
  return false;
}

/** Whether some number of a closed interval is within the bounds; of integers, some whole one. */
function meets([from, to]: readonly [number, number], bounds: NumberBounds): boolean {
  const [low, high] = [Math.max(from, bounds.least), Math.min(to, bounds.most)];
  if (!bounds.isInteger) return low < high || (low === high && within(low, bounds));
  const first = Math.ceil(low);
  const start = within(first, bounds) ? first : first + 1;
  return start <= high && within(start, bounds);
}

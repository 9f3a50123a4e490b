/** Values in names of stages: short, and of signs that no shell or file system minds. */
import { isCall } from '../ir/values.js';
import type { Constant } from './symbols.js';
import { formatQuantity } from './units.js';

/** `1e-4`, `16`, `512tok`, `starter`, `local-models-llama`. */
export function labelOf({ value, unit }: Constant): string {
  if (typeof value === 'number') return formatQuantity(value, unit);
  if (isCall(value)) {
    const args = Object.values(value.args).filter((arg) => typeof arg === 'string');
    return plain([value.call, ...args].join('-'));
  }
  return plain(String(value));
}

/** A folder's last part tells more than its first. */
const LONGEST = 40;

const plain = (text: string): string =>
  text
    .replace(/[^\p{L}\p{N}._%+]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(-LONGEST) || '-';

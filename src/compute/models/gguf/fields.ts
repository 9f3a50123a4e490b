import { shown } from '../shown.js';
import { ModelError } from '../types.js';
import { HELP } from './cursor.js';
import type { GgufHeader, GgufValue } from './header.js';

/** The key-value pairs of a GGUF file, by type. */
export class GgufFields {
  constructor(
    readonly header: GgufHeader,
    readonly architecture: string,
  ) {}

  /** A number under the architecture's name: `attention.head_count`. */
  number(key: string): number | undefined {
    return numberIn(this.header, this.own(key));
  }

  /** A float32 as the shortest decimal that stands for it: 1e-5 went into the file, not 9.99999974737875e-6. */
  decimal(key: string): number | undefined {
    const value = this.number(key);
    return value === undefined ? undefined : shortest(value);
  }

  flag(key: string): boolean | undefined {
    return flagIn(this.header, this.own(key));
  }

  value(key: string): GgufValue | undefined {
    return this.header.values.get(this.own(key));
  }

  /** A number under a whole name: `tokenizer.ggml.bos_token_id`. */
  plain(key: string): number | undefined {
    return numberIn(this.header, key);
  }

  has(tensor: string): boolean {
    return this.header.tensors.has(tensor);
  }

  private own(key: string): string {
    return `${this.architecture}.${key}`;
  }
}

/** `undefined` if the key is not there; throws a {@link ModelError} if it is of another type. */
const valueIn =
  <T>(kind: string, read: (value: GgufValue) => T | undefined) =>
  ({ path, values }: GgufHeader, key: string): T | undefined => {
    const value = values.get(key);
    if (value === undefined) return undefined;
    const found = read(value);
    if (found !== undefined) return found;
    throw new ModelError('gguf_invalid', path, `${key} is ${shown(value)}; it must be ${kind}.`, HELP);
  };

export const numberIn = valueIn('a number', (value) =>
  typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined,
);

export const flagIn = valueIn('true or false', (value) => (typeof value === 'boolean' ? value : undefined));

export const textIn = valueIn('a text', (value) => (typeof value === 'string' ? value : undefined));

function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

import type { GgufHeader, GgufValue } from './header.js';

/** The key-value pairs of a GGUF file, by type. */
export class GgufFields {
  constructor(
    readonly header: GgufHeader,
    readonly architecture: string,
  ) {}

  /** A number under the architecture's name: `attention.head_count`. */
  number(key: string): number | undefined {
    return plainNumber(this.value(key));
  }

  /** A float32 as the shortest decimal that stands for it: 1e-5 went into the file, not 9.99999974737875e-6. */
  decimal(key: string): number | undefined {
    const value = this.number(key);
    return value === undefined ? undefined : shortest(value);
  }

  flag(key: string): boolean | undefined {
    const value = this.value(key);
    return typeof value === 'boolean' ? value : undefined;
  }

  value(key: string): GgufValue | undefined {
    return this.header.values.get(`${this.architecture}.${key}`);
  }

  /** A number under a whole name: `tokenizer.ggml.bos_token_id`. */
  plain(key: string): number | undefined {
    return plainNumber(this.header.values.get(key));
  }

  has(tensor: string): boolean {
    return this.header.tensors.has(tensor);
  }
}

export function plainNumber(value: GgufValue | undefined): number | undefined {
  return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined;
}

function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

import { createHash } from 'node:crypto';

const TWO_48 = 2 ** 48;

/** The first 96 bits of SHA-256 as two 48-bit integers, which doubles hold exactly. */
export function hash96(text: string): readonly [number, number] {
  const digest = createHash('sha256').update(text).digest();
  return [digest.readUIntBE(0, 6), digest.readUIntBE(6, 6)];
}

/** A number in [0, 1) that depends on seed and key alone: orders rows and groups without a generator's state. */
export function unitHash(seed: number, key: string): number {
  return hash96(`${seed}\n${key}`)[0] / TWO_48;
}

/**
 * Numbers under 96-bit keys, in typed arrays with open addressing: a million rows cost no objects. Two texts with one
 * key would be taken for one; at a million rows that has a chance of 10⁻¹⁷.
 */
export class HashTable {
  private high = new Float64Array(1024);
  private low = new Float64Array(1024);
  /** Value + 1; 0 if nothing is. */
  private values = new Uint32Array(1024);
  private count = 0;

  get(high: number, low: number): number | undefined {
    const value = this.values[this.slot(high, low)] ?? 0;
    return value === 0 ? undefined : value - 1;
  }

  set(high: number, low: number, value: number): void {
    if (this.count * 2 >= this.values.length) this.grow();
    const slot = this.slot(high, low);
    if (this.values[slot] === 0) this.count++;
    this.high[slot] = high;
    this.low[slot] = low;
    this.values[slot] = value + 1;
  }

  private slot(high: number, low: number): number {
    const mask = this.values.length - 1;
    let slot = low % this.values.length;
    while (this.values[slot] !== 0 && (this.high[slot] !== high || this.low[slot] !== low))
      slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const [high, low, values] = [this.high, this.low, this.values];
    const size = values.length * 2;
    this.high = new Float64Array(size);
    this.low = new Float64Array(size);
    this.values = new Uint32Array(size);
    this.count = 0;
    values.forEach((value, i) => {
      if (value !== 0) this.set(high[i] ?? 0, low[i] ?? 0, value - 1);
    });
  }
}

/** Fields of a `config.json`, each checked when it is read; what is wrong names the field and the file. */
import { isJson, type Json } from '../../../language/host/json.js';
import { shown } from '../read-file.js';
import { ModelError } from '../types.js';

export class ConfigReader {
  constructor(
    readonly json: Json,
    /** What errors name. */
    readonly path: string,
  ) {}

  has(field: string): boolean {
    return this.json[field] != null;
  }

  /** A positive whole number. */
  whole(field: string, fallback?: number): number {
    const value = this.json[field] ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 2 ** 31)
      return value;
    return this.wrong(field, 'a positive whole number');
  }

  /** A whole number that may be none. */
  count(field: string): number {
    return (this.json[field] ?? 0) === 0 ? 0 : this.whole(field);
  }

  positive(field: string, fallback: number): number {
    return this.asPositive(field, this.json[field] ?? fallback);
  }

  asPositive(field: string, value: unknown): number {
    // models compute in float32
    const single = typeof value === 'number' ? Math.fround(value) : Number.NaN;
    if (typeof value === 'number' && Number.isFinite(single) && single > 0) return value;
    const given = Number.isNaN(value) ? undefined : value;
    return this.wrong(field, 'a positive number that float32 holds', given);
  }

  /** A positive number, or nothing. */
  optional(field: string): number | undefined {
    const value = this.json[field];
    return value == null ? undefined : this.asPositive(field, value);
  }

  flag(field: string, fallback = false): boolean {
    const value = this.json[field] ?? fallback;
    return typeof value === 'boolean' ? value : this.wrong(field, 'true or false');
  }

  record(field: string): Json | undefined {
    const value = this.json[field];
    if (value == null) return undefined;
    return isJson(value) ? value : this.wrong(field, 'an object');
  }

  list(field: string): readonly unknown[] | undefined {
    const value = this.json[field];
    if (value == null) return undefined;
    return Array.isArray(value) ? value : this.wrong(field, 'a list');
  }

  /** What a field's value stands for; a value that is not in the table is not supported. */
  choice<T>(field: string, table: Readonly<Record<string, T>>, fallback: string): T {
    const value = this.json[field] ?? fallback;
    if (typeof value === 'string' && Object.hasOwn(table, value)) return table[value] as T;
    return this.unsupported(field, `it may be ${Object.keys(table).join(', ')}`);
  }

  /** Refuses every value but these, the first of which a file may leave out. */
  only(field: string, values: readonly unknown[]): void {
    const value = this.json[field];
    if (value != null && !values.includes(value)) this.unsupported(field, `it must be ${shown(values[0])}`);
  }

  /** One id, a list of ids or nothing; an id outside the vocabulary (some files write -1 for none) is no id. */
  tokenIds(field: string, vocabSize: number): readonly number[] {
    const value = this.json[field];
    if (value == null) return [];
    return (Array.isArray(value) ? value : [value]).flatMap((id) => {
      if (typeof id !== 'number' || !Number.isInteger(id))
        return this.wrong(field, 'a token id or a list of them');
      return id >= 0 && id < vocabSize ? [id] : [];
    });
  }

  /** Throws a {@link ModelError} `model_config`: the value makes no sense. */
  wrong(field: string, expected: string, value: unknown = this.json[field]): never {
    throw new ModelError(
      'model_config',
      this.path,
      `"${field}" is ${value === undefined ? 'missing' : shown(value)}; it must be ${expected}.`,
      'Fix the file, or download the model again.',
    );
  }

  /** Throws a {@link ModelError} `model_unsupported`: the value is sensible, but not for this program. */
  unsupported(field: string, help: string, value: unknown = this.json[field]): never {
    throw new ModelError(
      'model_unsupported',
      this.path,
      `"${field}" is ${value === undefined ? 'missing' : `${shown(value)}, which this version does not run`}.`,
      `For a model of this kind, ${help}.`,
    );
  }
}

/** The fields of an adapter's config, which other programs write: every value is checked before it is used. */
import type { Json } from '../../language/host/json.js';
import type { ModelError } from '../models/types.js';

export const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;
export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
export const isIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Every method throws the error of `invalid` for a value that it does not allow. */
export class ConfigFields {
  constructor(
    readonly json: Json,
    /** The error for a field, given as JSON, that must be something else: `it must be true or false`. */
    private readonly invalid: (field: string, found: string, must: string, help?: string) => ModelError,
  ) {}

  /** `help`: where there is a better way out than the usual one. */
  fail(field: string, must: string, help?: string): never {
    throw this.invalid(field, JSON.stringify(this.json[field]) ?? 'missing', must, help);
  }

  has(field: string): boolean {
    return this.json[field] != null;
  }

  number(field: string, holds: (value: number) => boolean, must: string): number {
    const value = this.json[field];
    return typeof value === 'number' && holds(value) ? value : this.fail(field, must);
  }

  count(field: string): number {
    return this.number(field, isCount, 'it must be a positive whole number');
  }

  /** 0 if it is left out. */
  dropout(field: string): number {
    return this.has(field)
      ? this.number(field, (value) => value >= 0 && value < 1, 'it must be in [0, 1)')
      : 0;
  }

  /** `false` where it is left out. */
  flag(field: string): boolean {
    const value = this.json[field] ?? false;
    return typeof value === 'boolean' ? value : this.fail(field, 'it must be true or false');
  }

  text(field: string): string | null {
    const value = this.json[field];
    return typeof value === 'string' ? value : null;
  }

  strings(field: string, must: string): readonly string[] {
    return this.list(field, must).map((item) => (typeof item === 'string' ? item : this.fail(field, must)));
  }

  /** Numbers of layers, from 0. */
  layers(field: string): readonly number[] {
    const must = 'it must be a list of layers';
    return this.list(field, must).map((item) =>
      typeof item === 'number' && isIndex(item) ? item : this.fail(field, must),
    );
  }

  private list(field: string, must: string): readonly unknown[] {
    const value = this.json[field];
    return Array.isArray(value) ? value : this.fail(field, must);
  }
}

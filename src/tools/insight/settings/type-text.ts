/** Types of settings in words. */
import { typeNoun } from '../../../language/check/nouns.js';
import { formatQuantity, suffixesOf } from '../../../language/check/units.js';
import { functions } from '../../../language/schemas/functions/index.js';
import type { SettingType } from '../../../language/schemas/schema.js';

/** `a whole number, 1 to 1024` */
export const typeText = (type: SettingType): string => `${typeNoun(type)}${rangeText(type)}`;

/** `, 1 to 1024`; empty if there is none. */
function rangeText(type: SettingType): string {
  if (type.kind !== 'integer' && type.kind !== 'number' && type.kind !== 'quantity') return '';
  const show = (bound: number): string =>
    type.kind === 'quantity' ? formatQuantity(bound, type.units[0]) : `${bound}`;
  const { min, max } = type;
  if (min !== undefined && max !== undefined) return `, ${show(min)} to ${show(max)}`;
  if (min !== undefined && type.kind === 'number' && type.below !== undefined)
    return `, at least ${min} and below ${type.below}`;
  if (min !== undefined) return `, at least ${show(min)}`;
  if (max !== undefined) return `, at most ${show(max)}`;
  return type.kind === 'number' && type.above !== undefined ? `, above ${type.above}` : '';
}

/** Units that a number may be written in. */
export const unitsOf = (type: SettingType): readonly string[] =>
  type.kind === 'quantity' ? suffixesOf(type.units) : type.kind === 'union' ? type.of.flatMap(unitsOf) : [];

/** Words and functions that may be there; none if anything of the type may. */
export function choicesOf(type: SettingType): readonly string[] {
  if (type.kind === 'enum') return type.values;
  if (type.kind === 'boolean') return ['true', 'false'];
  if (type.kind === 'none') return ['none'];
  if (type.kind === 'list') return choicesOf(type.of);
  if (type.kind === 'union') return [...new Set(type.of.flatMap(choicesOf))];
  if (type.kind !== 'call') return [];
  return Object.entries(functions).flatMap(([name, { family }]) => (family === type.family ? [name] : []));
}

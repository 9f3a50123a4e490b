/** Keys of a block, a record or a call that are not set yet. */
import { typeNoun } from '../../../language/check/nouns.js';
import { valueText } from '../../../language/check/value-text.js';
import type { Setting, SettingType } from '../../../language/schemas/schema.js';
import { alternatives } from '../../../language/schemas/setting-paths.js';
import { type Fields, fieldsIn } from '../cursor/expected.js';
import { type Frame, keysFrom } from '../cursor/frames.js';
import { isSets } from '../cursor/tokens.js';
import { settingText } from '../describe.js';
import { escaped, type Proposals, propose, type Request } from './request.js';

const SIGNS: Partial<Readonly<Record<Frame['kind'], string>>> = { block: ' = ', record: ': ', call: ': ' };

export function keyProposals({ cursor, frame }: Request): Proposals {
  const sign = SIGNS[frame.kind];
  if (sign === undefined || !('open' in frame)) return [];
  const { partial, tokens, next } = cursor;
  const taken = new Set(keysFrom(tokens, frame.open).filter((key) => key !== partial?.image));
  const fields = fieldsIn(cursor.frames);
  const hasSign = isSets(next);
  return Object.entries(fields)
    .filter(([key]) => !taken.has(key))
    .map(([key, setting]) =>
      propose('Property', key, {
        detail: typeNoun(setting.type),
        doc: settingText(setting),
        insert: hasSign ? key : `${key}${sign}${valueSnippet(setting)}`,
        sort: setting.required ? 'a' : 'b',
      }),
    );
}

/** The form of a value, with a stop for what is to be typed. */
export function valueSnippet({ type, default: value }: Pick<Setting, 'type' | 'default'>): string {
  const [first] = alternatives(type);
  const form = first === undefined ? undefined : formOf(first);
  if (form !== undefined) return form;
  return value === undefined || value === null ? '$1' : `\${1:${escaped(valueText(value, type))}}`;
}

/** Brackets and quotes of a type; `undefined` if it has none. */
export function formOf(type: SettingType): string | undefined {
  if (type.kind === 'record' || type.kind === 'map') return '{ $1 }';
  if (type.kind === 'list') return '[$1]';
  if (type.kind === 'file') return 'file("$1")';
  return type.kind === 'string' ? '"$1"' : undefined;
}

/** Required arguments of a call: those without a name in order, then named ones. */
export function argumentSnippet(args: Fields, positional: readonly string[]): string {
  const needed = Object.entries(args).filter(([, { required }]) => required);
  return needed
    .map(([name, setting], index) => {
      const stop = (formOf(setting.type) ?? '$1').replace('$1', `$${index + 1}`);
      return positional.includes(name) ? stop : `${name}: ${stop}`;
    })
    .join(', ');
}

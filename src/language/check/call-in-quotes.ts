/** A text where a call is wanted: `"perplexity"`, `"org/name"`, `"data/rows.jsonl"`, and what it stands for. */

import { resolve } from 'node:path';
import { typeMismatch } from '../diagnostics/catalogue/values.js';
import { instead } from '../diagnostics/did-you-mean.js';
import { named } from '../diagnostics/make.js';
import type { Diagnostic, Hint } from '../diagnostics/types.js';
import { functions } from '../schemas/functions/index.js';
import { PACKED, SOURCE_BY_ENDING } from '../schemas/functions/source.js';
import { CHAT_STYLES } from '../schemas/functions/template.js';
import { isRepositoryId } from '../schemas/repositories.js';
import type { Family, SettingType } from '../schemas/schema.js';
import { lookUp } from '../source/look-up.js';
import { quoted } from '../source/quoted.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import { typeNoun } from './nouns.js';

type Text = Extract<Expression, { kind: 'string' }>;
type CallType = Extract<SettingType, { kind: 'call' }>;

export const callInQuotes = (text: Text, type: CallType, context: Context): Diagnostic =>
  typeMismatch(text.span, typeNoun(type), 'a string', hintOf(text, type, context));

function hintOf(text: Text, type: CallType, context: Context): Hint {
  if (isNameOf(text, type.family)) return withoutQuotes([text]);
  const written = readingOf(text.value, type.family, context);
  if (written !== undefined) return instead(written, text.span);
  const known = context.scope.functions(type.family).map((name) => `${name}(…)`);
  return known.length > 0 ? { help: `${typeNoun(type)} is a call: ${named(known)}` } : {};
}

/** A function of the family that takes no argument, or none that must be given: its name alone is a call. */
function isNameOf({ value }: Text, family: Family): boolean {
  const found = lookUp(functions, value);
  return found?.family === family && Object.values(found.args).every(({ required }) => !required);
}

const withoutQuotes = (texts: readonly Text[]): Hint => ({
  help: `names are written without quotes: ${named(
    texts.map(({ value }) => value),
    'and',
  )}`,
  fixes: [
    {
      title: 'remove the quotes',
      applicability: 'safe',
      edits: texts.map(({ span, value }) => ({ span, text: value })),
    },
  ],
});

/** `["perplexity", "exact_match"]`: one mistake, however many names there are. */
export function namesInQuotes(
  items: readonly Expression[],
  type: SettingType,
): { readonly error: Diagnostic; readonly items: readonly Expression[] } | undefined {
  if (type.kind !== 'call') return undefined;
  const quoted = items.filter((item): item is Text => item.kind === 'string' && isNameOf(item, type.family));
  const [first, more] = quoted;
  if (first === undefined || more === undefined) return undefined;
  return {
    error: typeMismatch(first.span, typeNoun(type), 'a string', withoutQuotes(quoted)),
    items: quoted,
  };
}

/** What a text says to other tools, as a call: `hf("org/name")`. */
export const readingOf = (text: string, family: Family, context: Context): string | undefined =>
  READINGS[family]?.(text, context);

const called = (name: string, text: string): string => `${name}(${quoted(text)})`;

/** What a text says to other tools, as a call. */
const READINGS: Partial<Record<Family, (text: string, context: Context) => string | undefined>> = {
  model: (text, { access: { host, folder } }) => {
    if (text.endsWith('.gguf')) return called('gguf', text);
    const isThere = host.stat(resolve(folder, text))?.isFolder === true;
    if (isThere || /^(\.{0,2}\/|~)/.test(text)) return called('local', text);
    return text.includes('/') && isRepositoryId(text) ? called('hf', text) : undefined;
  },
  source: (text) => {
    const name = lookUp<string>(SOURCE_BY_ENDING, /\.\w+$/.exec(text.replace(PACKED, ''))?.[0]);
    if (name !== undefined) return called(name, text);
    return text.includes('/') && isRepositoryId(text) ? called('hub', text) : undefined;
  },
  template: (text) => (CHAT_STYLES.some((style) => style === text) ? `chat(style: ${text})` : undefined),
  adapter: (text) => called('peft', text),
  target: (text) => called('directory', text),
};

/** What to write for a setting that is not there: misspelt, in another block, or as another tool calls it. */

import { instead, nearest, suggestion } from '../diagnostics/did-you-mean.js';
import { type ForeignValue, foreignSetting, ownNameOf, usualColumn } from '../diagnostics/foreign.js';
import { replace, withArticle } from '../diagnostics/make.js';
import type { Hint } from '../diagnostics/types.js';
import { functions } from '../schemas/functions/index.js';
import type { SettingType } from '../schemas/schema.js';
import { type SettingSpot, settingSpots, spotsNamed } from '../schemas/setting-spots.js';
import { quoted } from '../source/quoted.js';
import type { Expression, Word } from '../syntax/ast.js';
import { formatNumber, formatQuantity } from './units.js';

/** Where the setting is written. */
export interface SettingPlace {
  /** What may be set there. */
  readonly known: readonly string[];
  /** Of a block: its kind, and what it sets. */
  readonly block?: { readonly kind: string; readonly sets: readonly string[] };
  /** Of a call: the function. */
  readonly callee?: string;
}

/** Stands for a value that the author has to choose. */
const OPEN = '…';

export function settingHint(key: Word, value: Expression | undefined, place: SettingPlace): Hint {
  const foreign = foreignSetting(key.text, literalOf(value));
  if (foreign === undefined) return ownHint(key, value, place);
  if ('needless' in foreign)
    return {
      help: `leave it out: ${foreign.needless}`,
      fixes:
        place.block === undefined ? [] : [replace('remove it', whole(key, value), '', 'maybe_incorrect')],
    };
  if ('setting' in foreign) {
    const spot = settingSpots().get(foreign.setting);
    return spot === undefined ? {} : elsewhere(spot, key, value, place);
  }
  const { block, line, note } = foreign;
  const why = note === undefined ? '' : ` (${note})`;
  if (block === 'heading')
    return { help: `write \`${line}\` in the heading${why}: \`train adapter ${line} {\`` };
  if (place.block === undefined) return { help: `write \`${line}\`${why}` };
  if (block !== place.block.kind) return { help: `write \`${line}\` in ${blockNoun(block)}${why}` };
  return { help: `write \`${line}\`${why}`, fixes: rewritten(line, key, value, place) };
}

/** `a \`train\` block` */
const blockNoun = (kind: string): string => withArticle(`\`${kind}\` block`);

/** A setting of this language: misspelt, or in another place than its own. */
function ownHint(key: Word, value: Expression | undefined, place: SettingPlace): Hint {
  const own = place.block && ownNameOf(place.block.kind, key.text);
  if (own !== undefined && !place.block?.sets.includes(own)) return instead(own, key.span);
  const spots = spotsNamed(key.text);
  const inside = spots.find(({ kind, path }) => kind === place.block?.kind && path.includes('.'));
  if (inside !== undefined) return elsewhere(inside, key, value, place);
  const column = place.block === undefined ? usualColumn(key.text) : undefined;
  if (column !== undefined && place.known.includes(column)) return instead(column, key.span);
  if (nearest(key.text, place.known) !== undefined) return suggestion(key.text, key.span, place.known);
  const other = new Set(spots.map(({ kind }) => kind));
  const [spot] = spots;
  return spot !== undefined && other.size === 1
    ? elsewhere(spot, key, value, place)
    : suggestion(key.text, key.span, place.known);
}

/** The setting has another name here, or another place. */
function elsewhere(
  spot: SettingSpot,
  key: Word,
  value: Expression | undefined,
  { known, block, callee }: SettingPlace,
): Hint {
  const [holder = '', ...rest] = spot.path.split('.');
  const own = rest.at(-1) ?? holder;
  const isHere = block?.kind === spot.kind;
  if (known.includes(own) && (isHere ? rest.length === 0 : block === undefined))
    return renamed(spot, own, key, value, block);
  const text = value === undefined ? OPEN : (valueText(value, spot.setting.type) ?? OPEN);
  const below = insideCall(callee, own, text);
  if (below !== undefined) return below;
  const line = spot.line(text);
  if (!isHere) return { help: `it belongs in ${blockNoun(spot.kind)}: write \`${line}\` there` };
  if (rest.length > 0 && block.sets.includes(holder))
    return { help: `it belongs in \`${holder}\`: write \`${spot.part(text)}\` there` };
  return {
    help: rest.length === 0 ? `write \`${line}\`` : `it belongs in \`${holder}\`: write \`${line}\``,
    fixes: rewritten(line, key, value, { known, block }),
  };
}

/** The setting has another name here, and its value perhaps another form. */
function renamed(
  spot: SettingSpot,
  own: string,
  key: Word,
  value: Expression | undefined,
  block: SettingPlace['block'],
): Hint {
  if (block === undefined) return instead(own, key.span);
  if (block.sets.includes(own)) return { help: `leave it out: \`${own}\` is set in this block` };
  const text = value === undefined ? undefined : valueText(value, spot.setting.type);
  if (text === undefined || text.includes(OPEN)) return instead(own, key.span);
  const line = spot.line(text);
  return {
    help: `write \`${line}\``,
    fixes: [replace(`write \`${line}\``, whole(key, value), line, 'maybe_incorrect')],
  };
}

/** An argument of a call that is itself an argument: `warmup` of `schedule`, in `adamw(…)`. */
function insideCall(callee: string | undefined, name: string, value: string): Hint | undefined {
  const args = callee === undefined ? {} : (functions[callee]?.args ?? {});
  for (const [holder, { type }] of Object.entries(args)) {
    if (type.kind !== 'call') continue;
    const [inner] =
      Object.entries(functions).find(
        ([, schema]) => schema.family === type.family && Object.hasOwn(schema.args, name),
      ) ?? [];
    if (inner !== undefined)
      return { help: `it belongs in \`${holder}\`: write \`${holder}: ${inner}(${name}: ${value})\`` };
  }
  return undefined;
}

/** The whole setting rewritten, where nothing is left open and the block has no other of this name. */
function rewritten(line: string, key: Word, value: Expression | undefined, { block }: SettingPlace) {
  const name = line.slice(0, line.indexOf(' '));
  return line.includes(OPEN) || block?.sets.includes(name) === true
    ? []
    : [replace(`write \`${line}\``, whole(key, value), line, 'maybe_incorrect')];
}

const whole = ({ span }: Word, value: Expression | undefined) => ({
  ...span,
  end: Math.max(span.end, value?.span.end ?? 0),
});

/** Does a word that is unknown here, in a `block` of this kind or elsewhere, stand for this setting? It is not missing, then. */
export function standsFor(word: string, key: string, block?: string): boolean {
  if (block !== undefined && ownNameOf(block, word) === key) return true;
  const foreign = foreignSetting(word);
  if (foreign === undefined) return nearest(word, [key]) === key;
  if ('setting' in foreign) return foreign.setting.split('.').includes(key);
  return 'line' in foreign && foreign.line.startsWith(`${key} =`);
}

function literalOf(value: Expression | undefined): ForeignValue {
  switch (value?.kind) {
    case 'string':
    case 'number':
    case 'boolean':
      return value.value;
    case 'reference':
      return value.path.map(({ text }) => text).join('.');
    default:
      return undefined;
  }
}

/** A literal of another tool as a value of this type; `undefined` where it is none. */
function valueText(value: Expression, type: SettingType): string | undefined {
  if (value.kind === 'quantity') return `${value.value}${value.suffix}`;
  const literal = literalOf(value);
  switch (type.kind) {
    case 'union': {
      const texts = type.of.map((one) => valueText(value, one));
      return texts.find((text) => text !== undefined);
    }
    case 'boolean':
      return typeof literal === 'boolean' ? `${literal}` : undefined;
    case 'integer':
      return typeof literal === 'number' && Number.isInteger(literal) ? `${literal}` : undefined;
    case 'number':
      return typeof literal === 'number' ? formatNumber(literal) : undefined;
    case 'quantity':
      return typeof literal === 'number' ? quantityText(literal, type) : undefined;
    case 'enum':
      return typeof literal === 'string' && type.values.includes(literal) ? literal : undefined;
    case 'list':
      return value.kind === 'list' ? listText(value.items, type.of) : undefined;
    case 'call':
      return typeof literal === 'string' ? callText(literal, type.family) : undefined;
    case 'string':
      return value.kind === 'string' ? quoted(value.value) : undefined;
    case 'port':
      return value.kind === 'reference' ? literalOf(value)?.toString() : undefined;
    default:
      return undefined;
  }
}

function quantityText(value: number, { units }: Extract<SettingType, { kind: 'quantity' }>) {
  const isShare = units.includes('ratio') && (value < 1 || units.length === 1);
  const unit = isShare ? 'ratio' : units.find((one) => one !== 'ratio');
  return unit === undefined || (!isShare && !Number.isInteger(value))
    ? undefined
    : formatQuantity(value, unit);
}

function listText(items: readonly Expression[], type: SettingType): string | undefined {
  const texts = items.map((item) => valueText(item, type));
  return texts.every((text) => text !== undefined) ? `[${texts.join(', ')}]` : undefined;
}

/** `"cosine"` → `cosine()`, `"adamw_torch"` → `adamw(rate: …)`. */
function callText(word: string, family: string): string | undefined {
  const own = Object.entries(functions).filter(([, one]) => one.family === family);
  const [name, schema] =
    own.find(([name]) => name === word) ??
    own.sort(([a], [b]) => b.length - a.length).find(([name]) => word.replaceAll('_', '').startsWith(name)) ??
    [];
  if (name === undefined || schema === undefined) {
    const [repository] = family === 'model' && /^[\w.-]+\/[\w.-]+$/.test(word) ? [word] : [];
    return repository === undefined ? undefined : `hf(${quoted(repository)})`;
  }
  const needed = Object.keys(schema.args).filter((key) => schema.args[key]?.required === true);
  if (needed.length === 0) return name;
  return `${name}(${needed.map((key) => `${key}: ${OPEN}`).join(', ')})`;
}

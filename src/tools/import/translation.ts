/**
 * What becomes of a key. Each tool has a table from its keys to translations; an entry is one of four:
 * it becomes a setting, it needs nothing because ftpc does it by itself, it is left with a reason, or it is refused.
 */

import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { lookUp } from '../../language/source/look-up.js';
import type { Span } from '../../language/source/span.js';
import { type ForeignNode, type ForeignRecord, isSecretKey, isUnset, type Reader, shown } from './foreign.js';
import { cannotExpress, unknownKey, wrongValue } from './import-diagnostics.js';
import type { RecipePart } from './recipe.js';

/** What was decided about one value; nothing: it was translated. */
export type Verdict =
  | { readonly left: string }
  | { readonly automatic: string }
  | { readonly refused: string }
  | undefined;

export const left = (why: string) => ({ left: why });
export const automatic = (why: string) => ({ automatic: why });
export const refused = (why: string) => ({ refused: why });

type Apply<T> = (
  value: ForeignNode,
  target: T,
  context: ImportContext,
) => Verdict | { readonly wrong: string };

export interface Translation<T> {
  readonly kind: 'becomes' | 'automatic' | 'left' | 'refused';
  /** The setting that it becomes, or the reason why there is none: what the table in the documentation says. */
  readonly doc: string;
  readonly apply: Apply<T>;
  /** What of a recipe it sets, where other keys can leave that without an effect. */
  readonly sets?: RecipePart;
  /** A key that decides in its stead, where it is set. */
  readonly unless?: string;
}

export type TranslationTable<T> = Readonly<Record<string, Translation<T>>>;

type KeyStatus = 'translated' | 'automatic' | 'left' | 'unset' | 'unknown' | 'refused';

/** A key of the file and what became of it. */
export interface KeyRecord {
  /** `datasets.split` for a key inside another. */
  readonly key: string;
  readonly status: KeyStatus;
  /** The value in one line; of secrets, nothing. */
  readonly value: string;
  /** Why it is not translated, or needs no translation. */
  readonly why?: string;
}

/** A record that other keys may still change. */
export interface OpenRecord extends KeyRecord {
  /** Of the value. */
  readonly at?: Span;
  readonly sets?: RecipePart;
}

export interface ImportContext {
  readonly host: Host;
  /** The folder that the paths in the file are relative to: absolute. */
  readonly folder: string;
  readonly report: (diagnostic: Diagnostic) => void;
  readonly keys: OpenRecord[];
  /** Reasons for refusals that were given: settings of a method all have the same. */
  readonly said: Set<string>;
  /** Keys that no table has. */
  readonly unknown: { count: number; further?: Span };
}

/** What a table does not see: the file as a whole. */
export interface ImportedFile {
  readonly record: ForeignRecord;
  /** Where the file is: absolute. */
  readonly folder: string;
}

/** Becomes a setting: `doc` names it, `put` keeps the value for the pipeline. */
export const becomes = <T, V>(
  doc: string,
  reader: Reader<V>,
  put: (target: T, value: V, context: ImportContext, span: Span) => Verdict,
  sets?: RecipePart,
): Translation<T> => ({
  kind: 'becomes',
  doc,
  ...(sets === undefined ? {} : { sets }),
  apply: (value, target, context) => {
    const read = reader.read(value);
    return read === undefined ? { wrong: reader.expects } : put(target, read, context, value.span);
  },
});

/** Needs nothing: ftpc does it by itself, or it concerns nothing that ftpc has. */
export const byItself = <T>(why: string): Translation<T> => ({
  kind: 'automatic',
  doc: why,
  apply: () => automatic(why),
});

/** The translation of a key that has no effect next to another. */
export const unless = <T>(key: string, translation: Translation<T>): Translation<T> => ({
  ...translation,
  unless: key,
});

type Scalar = string | number | boolean;

const isAmong = (value: ForeignNode, values: readonly Scalar[]): boolean =>
  value.kind === 'scalar' && value.value !== null && values.includes(value.value);

const AS_HERE = 'the value is what ftpc does anyway';

/** Has no counterpart; `same` are the values with which it means what ftpc does anyway. */
export const hasNone = <T>(why: string, ...same: readonly Scalar[]): Translation<T> => ({
  kind: 'left',
  doc: why,
  apply: (value) => (isAmong(value, [false, ...same]) ? automatic(AS_HERE) : left(why)),
});

/** Asks for a method that ftpc does not have. */
export const unable = <T>(why: string, ...same: readonly Scalar[]): Translation<T> => ({
  kind: 'refused',
  doc: why,
  apply: (value) => (isAmong(value, [false, ...same]) ? automatic(AS_HERE) : refused(why)),
});

/** The same translation for several keys: `keys` with spaces between them. */
export const each = <T>(keys: string, translation: Translation<T>): TranslationTable<T> =>
  Object.fromEntries(keys.split(/\s+/).map((key) => [key, translation]));

/** So many unknown keys are reported one by one: a file with more is for something else. */
export const REPORTED = 100;

/** Translates the entries of a record into `target`; each leaves a {@link KeyRecord}. `prefix`: the record's own key and a dot. */
export function translateEntries<T>(
  record: ForeignRecord,
  table: TranslationTable<T>,
  target: T,
  context: ImportContext,
  prefix = '',
): void {
  const known = Object.keys(table);
  const on = new Set(record.entries.filter(({ value }) => isOn(value)).map(({ key }) => key));
  for (const { key, span, value } of record.entries) {
    const translation = lookUp(table, key);
    const name = `${prefix}${key}`;
    const text = isSecretKey(key) && !isUnset(value) ? '…' : shown(value);
    const add = (status: KeyStatus, why?: string): void =>
      void context.keys.push({
        key: name,
        status,
        value: text,
        ...(why === undefined ? {} : { why }),
        at: value.span,
        ...(translation?.sets === undefined ? {} : { sets: translation.sets }),
      });
    if (translation === undefined) {
      context.unknown.count += 1;
      if (context.unknown.count <= REPORTED) context.report(unknownKey(span, name, key, known));
      else context.unknown.further ??= span;
      add('unknown', 'no key that `ftpc import` knows');
    } else if (isUnset(value)) add('unset');
    else if (translation.unless !== undefined && on.has(translation.unless))
      add('automatic', `\`${translation.unless}\` decides, in the other tool too`);
    else {
      const verdict = translation.apply(value, target, context);
      if (verdict === undefined) add('translated');
      else if ('wrong' in verdict) {
        context.report(wrongValue(value.span, `\`${name}\``, verdict.wrong, text));
        add('left', `it must be ${verdict.wrong}`);
      } else if ('refused' in verdict) {
        if (!context.said.has(verdict.refused)) context.report(cannotExpress(span, name, verdict.refused));
        context.said.add(verdict.refused);
        add('refused', verdict.refused);
      } else if ('left' in verdict) add('left', verdict.left);
      else add('automatic', verdict.automatic);
    }
  }
}

const isOn = (value: ForeignNode): boolean =>
  !isUnset(value) && !(value.kind === 'scalar' && (value.value === false || value.value === 0));

/** Says of a key that was translated what only other keys tell: that it needs nothing, or is left. */
export function revise(
  { keys }: ImportContext,
  key: string,
  verdict: { readonly left: string } | { readonly automatic: string },
): void {
  const at = keys.findIndex((record) => record.key === key && record.status === 'translated');
  const record = keys[at];
  if (record !== undefined) keys[at] = revised(record, verdict);
}

export const revised = (
  record: OpenRecord,
  verdict: { readonly left: string } | { readonly automatic: string },
): OpenRecord =>
  'left' in verdict
    ? { ...record, status: 'left', why: verdict.left }
    : { ...record, status: 'automatic', why: verdict.automatic };

/** Values that parameters are given from outside: `-p name=value`, and files of parameters. */
import {
  badParamValue,
  COMMAND_LINE,
  type ParamInput,
  unknownParam,
} from '../diagnostics/catalogue/params.js';
import type { Diagnostic, Place } from '../diagnostics/types.js';
import type { SettingType } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import { sourceText } from '../source/text.js';
import type { Word } from '../syntax/ast.js';
import { parseExpression } from '../syntax/parse.js';
import { readingOf } from './call-in-quotes.js';
import type { Context } from './context.js';
import type { Constant } from './scope.js';
import { evaluate } from './setting-value.js';

export interface Override {
  /** The value, as an expression of the language; where it is text, as it is. */
  readonly text: string;
  /** A string of JSON; on the command line nothing tells one from another value. */
  readonly isText?: boolean;
  /** Where its name is, in a file. */
  readonly named?: Place;
  /** How and where it was given, for messages. */
  readonly given: ParamInput;
}

export type Overrides = Readonly<Record<string, Override>>;

/** What `--params FILE` gives, and what is wrong with the file. */
export interface ParamFile {
  readonly overrides: Overrides;
  readonly diagnostics: readonly Diagnostic[];
}

/** A value from outside as one of `type`; what is wrong with it is reported where it was given. */
export function given(
  override: Override,
  { name, type: typeWord }: { readonly name: Word; readonly type: Word },
  type: SettingType,
  context: Context,
): Constant | undefined {
  const refuse = (why: string, meant?: string) =>
    context.report(badParamValue(override.given, name.text, typeWord.text, why, meant));
  const { text, isText } = override;
  if (type.kind === 'string' && (isText ?? !text.startsWith('"'))) return { value: text };
  if (isText === true && isPlain(type)) return refuse('JSON has its own syntax for it, without quotes');
  const { expression, diagnostics } = parseExpression(sourceText(override.given.at.file, text));
  const fork = context.fork();
  const value = diagnostics.length > 0 ? undefined : evaluate(expression, type, fork, undefined);
  if (value !== undefined && fork.errors === 0) return measured(value, type);
  const call = type.kind === 'call' ? readingOf(text, type.family, context) : undefined;
  return refuse(reason(diagnostics[0] ?? fork.diagnostics[0]), call);
}

/** An error inside a value in a few words: its place would be that of the value. */
function reason(found: Diagnostic | undefined): string {
  if (found === undefined) return 'it cannot be read';
  return found.code === OUT_OF_RANGE ? `${found.message}, ${found.label}` : found.message;
}
const OUT_OF_RANGE = 'FTP0305';

const isPlain = ({ kind }: SettingType): boolean =>
  kind === 'boolean' || kind === 'integer' || kind === 'number';

/** A value of a type with what it is measured in. */
export const measured = (value: Constant['value'], type: SettingType, at?: Span): Constant =>
  type.kind === 'quantity' ? { value, unit: type.units[0], at } : { value, at };

/** Values for parameters that the pipeline does not have. */
export function checkOverrides(overrides: Overrides, known: readonly string[], context: Context): void {
  for (const [name, override] of Object.entries(overrides))
    if (!known.includes(name)) context.report(unknownParam(override.named ?? override.given.at, name, known));
}

/** Where the values that come from files are; a symbol, so that the names of parameters are all of the record. */
export const FILES: unique symbol = Symbol('parameter files');

/** Values by name, as they would be typed after `-p name=`. */
export interface ParamValues {
  readonly [name: string]: string;
  readonly [FILES]?: ParamFile;
}

/** What a compilation is told about parameters. */
export function overridesFrom(params: ParamValues = {}): Overrides {
  const files = params[FILES]?.overrides ?? {};
  return Object.fromEntries(
    Object.entries(params).map(([name, text]) => [
      name,
      Object.hasOwn(files, name) ? (files[name] ?? typed(name, text)) : typed(name, text),
    ]),
  );
}

/** Values of files, of which later ones win, under those of the command line. */
export function joined(files: readonly ParamFile[], typedIn: Readonly<Record<string, string>>): ParamValues {
  const found = files.flatMap((file) => Object.entries(file.overrides));
  const overrides = Object.fromEntries(found.filter(([name]) => !Object.hasOwn(typedIn, name)));
  const texts = Object.entries(overrides).map(([name, { text }]) => [name, text]);
  const diagnostics = files.flatMap((file) => file.diagnostics);
  return { ...Object.fromEntries(texts), ...typedIn, [FILES]: { overrides, diagnostics } };
}

/** `-p name=value`, as it was typed. */
const typed = (name: string, text: string): Override => ({
  text,
  given: { shown: `-p ${name}=${text}`, at: { file: COMMAND_LINE, line: 0, column: 0 } },
});

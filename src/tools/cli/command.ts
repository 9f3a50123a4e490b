/** What a command is made of. Its file stays light: `run` imports what it needs when it is called. */

import { nearest } from '../../language/diagnostics/did-you-mean.js';
import { named } from '../../language/diagnostics/make.js';
import type { RunStatus } from '../../language/ir/events.js';
import type { CliContext } from './cli-context.js';

export interface OptionSpec {
  readonly type: 'boolean' | 'string' | 'number';
  readonly doc: string;
  readonly short?: string;
  /** May be given more than once. */
  readonly many?: boolean;
  /** How the value is called in the help. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** A list of words that a shell offers, where it is too long, or loaded too slowly, for every call. */
  readonly words?: WordList;
  /** The value may be left out: then it is empty. */
  readonly mayBeBare?: true;
}

export type WordList = 'machines' | 'explained';

/** Options by what they take: nothing, any text (called `value` in the help), a number, or one of some words. */
export const option = {
  flag: (doc: string, short?: string): OptionSpec => ({
    type: 'boolean',
    doc,
    ...(short === undefined ? {} : { short }),
  }),
  text: (
    value: string,
    doc: string,
    details: Pick<OptionSpec, 'short' | 'many' | 'words' | 'mayBeBare'> = {},
  ): OptionSpec => ({
    type: 'string',
    value,
    doc,
    ...details,
  }),
  number: (value: string, doc: string): OptionSpec => ({ type: 'number', value, doc }),
  choice: (choices: readonly string[], doc: string): OptionSpec => ({ type: 'string', choices, doc }),
} as const;

export interface PositionalSpec {
  readonly name: string;
  readonly doc: string;
  readonly optional?: boolean;
  /** The last one may be given more than once. */
  readonly many?: boolean;
  /** What a shell offers. */
  readonly choices?: readonly string[];
  readonly words?: WordList;
}

/** How a positional is in a usage line: `FILE`, `[FILE]`, `[FILE..]`. */
export function positionalText({ name, optional, many }: PositionalSpec): string {
  const word = `${name.toUpperCase()}${many === true ? '..' : ''}`;
  return optional === true ? `[${word}]` : word;
}

/** A command line against its command. Names are those of the command's spec; another name is a bug. */
export interface Arguments {
  positional(name: string): string;
  /** `undefined` if it was left out. */
  optionalPositional(name: string): string | undefined;
  /** All of a positional that may be given more than once. */
  positionals(name: string): readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  texts(name: string): readonly string[];
}

/** Commands by their names; the file of one is loaded when it is called, or when all are listed. */
export type CommandTable = Readonly<Record<string, () => Promise<Command>>>;

export interface Command {
  readonly name: string;
  /** What it does: the first clause is what lists of commands show ({@link summaryOf}), the rest is for its own help. */
  readonly doc: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, doc: string])[];
  /** The exit code. */
  readonly run: (args: Arguments, context: CliContext) => Promise<number>;
}

/** What a command does, in one clause. */
export const summaryOf = ({ doc }: Pick<Command, 'doc'>): string => doc.split(/[:;.](?= |$)/, 1)[0] ?? doc;

/** A command line that cannot be understood: printed as it is, with where to read on. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `unknown page \`trian\`: did you mean \`train\`?`, or what there is */
export const unknown = (what: string, name: string, known: readonly string[]): UsageError =>
  new UsageError(`unknown ${what} \`${name}\`${didYouMean(name, known) || listed(known)}`);

/** All that it could be, where they fit into a sentence. */
const listed = (known: readonly string[]): string =>
  known.length === 0 || known.length > 16
    ? ''
    : `: ${known.length === 1 ? 'there is' : 'there are'} ${named(known, 'and')}`;

export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? '' : `: did you mean \`${near}\`?`;
}

/** Exit codes of every command. */
export const EXIT = {
  done: 0,
  error: 1,
  changes: 2,
  gateFailed: 3,
  budgetExceeded: 4,
  interrupted: 130,
} as const;

export const EXIT_OF_RUN: Readonly<Record<RunStatus, number>> = {
  done: EXIT.done,
  failed: EXIT.error,
  gate_failed: EXIT.gateFailed,
  budget_exceeded: EXIT.budgetExceeded,
  interrupted: EXIT.interrupted,
};

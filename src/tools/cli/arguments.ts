/**
 * A command line against the spec of its command: the parser of yargs reads it, and what is wrong is said in our own
 * sentences. Only help needs the rest of yargs, which takes as long to load as a check of a small pipeline.
 */
import Parser from 'yargs-parser';
import { named } from '../../language/diagnostics/make.js';
import { type Arguments, type Command, didYouMean, type OptionSpec, UsageError } from './command.js';

/** Options that every command has. */
export const COMMON: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', short: 'h', doc: 'Show this help.' },
};

/** Every value is a text, every option means what it says alone, and what comes after an option that takes a value is its value. */
const CONFIGURATION = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'nargs-eats-options': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
};

/** Words by the names of options, and under `_` those of no option. */
type ParsedLine = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

/** Throws a `UsageError`. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const options = { ...command.options, ...COMMON };
  const entries = Object.entries(options);
  const { argv, error } = Parser.detailed(detached(withValues(words, options), options), {
    alias: Object.fromEntries(
      entries.flatMap(([name, { short }]) => (short === undefined ? [] : [[name, short]])),
    ),
    narg: Object.fromEntries(entries.map(([name, { type }]) => [name, type === 'boolean' ? 0 : 1])),
    configuration: CONFIGURATION,
  });
  const known = entries.map(([name]) => dashed(name));
  const stranger = Object.keys(argv).find((name) => name !== '_' && !Object.hasOwn(options, name));
  if (stranger !== undefined) {
    const name = dashed(stranger);
    throw new UsageError(`unknown option \`${name}\`${didYouMean(name, known)}`);
  }
  if (error !== null) throw new UsageError(inOurWords(error.message));
  for (const [name, spec] of entries) checkValues(name, spec, textsOf(argv[name]));
  if (argv['help'] === undefined) checkPositionals(command, textsOf(argv._));
  return reader(command, argv);
}

/** Of an option, whose name the parser says without dashes. */
const inOurWords = (message: string): string =>
  message
    .replace(
      /^Not enough arguments following: (.*)/,
      (_, name: string) => `\`${dashed(name)}\` needs a value`,
    )
    .replace(/^Argument unexpected for: (.*)/, (_, name: string) => `\`${dashed(name)}\` takes no value`);

const textsOf = (value: unknown): readonly string[] =>
  value === undefined ? [] : [value].flat().map((text) => String(text));

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

/** An option whose value may be left out has an empty one where another option, a pipeline or nothing follows. */
function withValues(words: readonly string[], options: OptionSpecs): string[] {
  const bare = Object.entries(options).flatMap(([name, { mayBeBare }]) => (mayBeBare ? [dashed(name)] : []));
  return words.map((word, at) => {
    const next = words[at + 1];
    const isBare = next === undefined || next.startsWith('-') || next.endsWith('.ftp');
    return bare.includes(word) && isBare ? `${word}=` : word;
  });
}

type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** `-pNAME=VALUE` is `-p NAME=VALUE`: yargs takes it for several options. */
function detached(words: readonly string[], options: OptionSpecs): string[] {
  const valued = Object.entries(options).filter(([, { type }]) => type !== 'boolean');
  const shorts = valued.flatMap(([, { short }]) => (short === undefined ? [] : [`-${short}`]));
  const waiting = new Set([...shorts, ...valued.map(([name]) => dashed(name))]);
  const end = words.indexOf('--');
  return words.flatMap((word, at) => {
    const isAttached = word.length > 2 && word[2] !== '=' && shorts.includes(word.slice(0, 2));
    const isValue = waiting.has(words[at - 1] ?? '') || (end >= 0 && at > end);
    return isAttached && !isValue ? [word.slice(0, 2), word.slice(2)] : [word];
  });
}

function checkValues(name: string, spec: OptionSpec, values: readonly string[]): void {
  if (spec.type === 'boolean') return;
  const dashes = dashed(name);
  if (values.length > 1 && spec.many !== true) throw new UsageError(`\`${dashes}\` is given twice`);
  for (const value of values) {
    if (spec.type === 'number' && (value === '' || !Number.isFinite(Number(value))))
      throw new UsageError(`\`${dashes}\` needs a number, not \`${value}\``);
    if (spec.choices !== undefined && !spec.choices.includes(value))
      throw new UsageError(
        `\`${dashes}\` takes ${named(spec.choices)}, not \`${value}\`${didYouMean(value, spec.choices)}`,
      );
  }
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const missing = command.positionals.slice(given.length).find(({ optional }) => optional !== true);
  if (missing !== undefined)
    throw new UsageError(`\`ftpc ${command.name}\` needs ${missing.name.toUpperCase()}: ${missing.doc}`);
  const extra = given[command.positionals.length];
  if (extra !== undefined && command.positionals.at(-1)?.many !== true)
    throw new UsageError(`\`ftpc ${command.name}\` does not know what to do with \`${extra}\``);
}

function reader(command: Command, words: ParsedLine): Arguments {
  const positionals = textsOf(words._);
  const placeOf = (name: string): number => {
    const at = command.positionals.findIndex((spec) => spec.name === name);
    if (at < 0) throw new Error(`${command.name} has no positional ${name}`);
    return at;
  };
  const optionalPositional = (name: string): string | undefined => positionals[placeOf(name)];
  const texts = (name: string): readonly string[] => {
    if (!(name in command.options) && !(name in COMMON))
      throw new Error(`${command.name} has no option ${name}`);
    return textsOf(words[name]);
  };
  return {
    positional: (name) => {
      const value = optionalPositional(name);
      if (value === undefined) throw new Error(`${name} is optional`);
      return value;
    },
    optionalPositional,
    positionals: (name) => positionals.slice(placeOf(name)),
    flag: (name) => texts(name).length > 0,
    text: (name) => texts(name)[0],
    number: (name) => {
      const text = texts(name)[0];
      return text === undefined ? undefined : Number(text);
    },
    texts,
  };
}

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { named } from '../../language/diagnostics/make.js';
import type { Arguments, Command, OptionSpec } from './command.js';
import { UsageError } from './usage-error.js';

/** Options that every command has. */
export const COMMON: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', short: 'h', doc: 'Show this help.' },
};

/**
 * Node's own parser, not yargs: it costs nothing to load, and `check` in an editor or a hook should take no
 * longer than it must. Throws a `UsageError`.
 */
export async function parseArguments(command: Command, words: readonly string[]): Promise<Arguments> {
  const specs = { ...command.options, ...COMMON };
  const options: ParseArgsConfig['options'] = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      {
        type: spec.type === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: spec.many === true,
        ...(spec.short === undefined ? {} : { short: spec.short }),
      },
    ]),
  );
  // Tolerant, so that our own sentences say what is wrong.
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of tokens ?? []) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined)
      throw await unknown(
        'option',
        token.rawName,
        Object.keys(specs).map((name) => `--${name}`),
        command,
      );
    if (spec.type === 'boolean' && token.value !== undefined && token.value !== null)
      throw new UsageError(`\`${token.rawName}\` takes no value`, command.name);
    if (spec.type !== 'boolean' && (token.value === undefined || token.value === null))
      throw new UsageError(`\`${token.rawName}\` needs a value`, command.name);
    const before = values.get(token.name) ?? [];
    if (before.length > 0 && spec.many !== true && spec.type !== 'boolean')
      throw new UsageError(`\`${token.rawName}\` is given twice`, command.name);
    await checkValue(spec, token.rawName, token.value, command);
    values.set(token.name, [...before, token.value ?? true]);
  }
  if (!values.has('help')) checkPositionals(command, positionals);
  return reader(command, values, positionals);
}

async function checkValue(
  spec: OptionSpec,
  name: string,
  value: string | undefined,
  command: Command,
): Promise<void> {
  if (spec.type === 'number' && (value === '' || !Number.isFinite(Number(value))))
    throw new UsageError(`\`${name}\` needs a number, not \`${value}\``, command.name);
  if (spec.choices !== undefined && !spec.choices.includes(value ?? ''))
    throw new UsageError(
      `\`${name}\` takes ${named(spec.choices)}, not \`${value}\`${await didYouMean(value ?? '', spec.choices)}`,
      command.name,
    );
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const missing = command.positionals.slice(given.length).find(({ optional }) => optional !== true);
  if (missing !== undefined)
    throw new UsageError(
      `\`ftpc ${command.name}\` needs ${missing.name.toUpperCase()}: ${missing.doc}`,
      command.name,
    );
  const extra = given[command.positionals.length];
  if (extra !== undefined && command.positionals.at(-1)?.many !== true)
    throw new UsageError(`\`ftpc ${command.name}\` does not know what to do with \`${extra}\``, command.name);
}

function reader(
  command: Command,
  values: ReadonlyMap<string, readonly (string | true)[]>,
  positionals: readonly string[],
): Arguments {
  const placeOf = (name: string): number => {
    const at = command.positionals.findIndex((spec) => spec.name === name);
    if (at < 0) throw new Error(`${command.name} has no positional ${name}`);
    return at;
  };
  const optionalPositional = (name: string): string | undefined => positionals[placeOf(name)];
  const texts = (name: string): readonly string[] => {
    if (!(name in command.options) && !(name in COMMON))
      throw new Error(`${command.name} has no option ${name}`);
    return (values.get(name) ?? []).map(String);
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

/** `unknown option \`--jsn\`: did you mean \`--json\`?` */
export async function unknown(
  what: string,
  name: string,
  known: readonly string[],
  command?: Command,
): Promise<UsageError> {
  return new UsageError(`unknown ${what} \`${name}\`${await didYouMean(name, known)}`, command?.name);
}

async function didYouMean(name: string, known: readonly string[]): Promise<string> {
  const { nearest } = await import('../../language/diagnostics/did-you-mean.js');
  const near = nearest(name, known);
  return near === undefined ? '' : `: did you mean \`${near}\`?`;
}

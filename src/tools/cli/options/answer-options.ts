import { resolve } from 'node:path';
import type { Answerer, AnswerOptions } from '../../../compute/evaluation/chat.js';
import { chooseRuntime } from '../../../compute/tensor/runtimes/choice.js';
import { modelError } from '../../../language/diagnostics/catalogue/files.js';
import { harmless } from '../../../language/diagnostics/render/index.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import { ENGINE_CHOICES } from '../../../language/ir/engines.js';
import type { OpenAnswererOptions } from '../../../pipeline/deploy/open-answerer.js';
import { askedRuntime } from '../../../pipeline/planner/budget.js';
import { ASKING_OPTIONS } from '../asked-as.js';
import type { CliContext } from '../cli-context.js';
import { type Arguments, type OptionSpec, option, UsageError } from '../command.js';
import { printDiagnostics } from '../diagnostics-printer.js';
import { ANSWER_ENGINE, PYTHON } from './engine-options.js';
import { MODEL_RUNTIME, runtimeOf, threadsOf } from './machine-options.js';

/** Options of every command that lets a model answer. */
export const ANSWER_OPTIONS = {
  base: option.text('FOLDER', 'The base of an adapter, if it is not where the adapter says.'),
  ...ASKING_OPTIONS,
  'max-tokens': option.number('N', 'Longest answer, in tokens; default: 128.'),
  stop: option.text('TEXT', 'End the answer before this text; may be given more than once.', { many: true }),
  temperature: option.number(
    'T',
    'Sample tokens at this temperature; 0, the default, always takes the likeliest one.',
  ),
  'top-p': option.number(
    'P',
    'Sample only from the likeliest tokens that together make up this probability.',
  ),
  'top-k': option.number('N', 'Sample only from this many of the likeliest tokens.'),
  'min-p': option.number('P', 'Sample only tokens at least this fraction as likely as the likeliest one.'),
  'repetition-penalty': option.number(
    'X',
    'Values above 1 discourage tokens that are already in the prompt or the answer.',
  ),
  seed: option.number('N', 'Seed for sampling; default: 17.'),
  '4bit': option.flag('Keep the base in four bits, as for an adapter trained with qlora.'),
  'raw-output': option.flag('Write control characters of answers as they are, instead of as symbols.'),
  engine: ANSWER_ENGINE,
  python: PYTHON,
  runtime: MODEL_RUNTIME,
  threads: option.number('N', 'Threads; default: one per core.'),
} as const satisfies Readonly<Record<string, OptionSpec>>;

const LONGEST = 128;
/** Share of the machine's memory that weights may take so that they need not be decoded for every token. */
const UNPACKED = 0.25;

/** Throws a `UserError` where the engine that is asked for is not there. */
export const openOptions = async (args: Arguments, context: CliContext): Promise<OpenAnswererOptions> => ({
  ...sourceOf(args, context),
  float32Bytes: UNPACKED * context.host.machine().memoryBytes,
  runtime: chooseRuntime(context.host, askedRuntime(runtimeOf(args), undefined)),
  engine: await engineOf(args, context),
});

/** What is opened, whatever computes. */
const sourceOf = (args: Arguments, context: CliContext) => ({
  folder: resolve(context.host.cwd, args.positional('model')),
  base: args.text('base'),
  storage: args.flag('4bit') ? ('nf4' as const) : undefined,
  threads: threadsOf(args),
  warn: (warning: Diagnostic) => printDiagnostics(context, [warning]),
});

/**
 * Opens what answers as options say. Throws a `UsageError` for options that exclude each other, and a `UserError` or a
 * `ModelError` where there is no such model or engine.
 */
export async function openAsked(
  args: Arguments,
  context: CliContext,
  options: Pick<OpenAnswererOptions, 'oneAtATime' | 'template'>,
): Promise<Answerer> {
  if (args.text('engine') !== 'llama.cpp') {
    const { openAnswerer } = await import('../../../pipeline/deploy/open-answerer.js');
    return openAnswerer(context.host, { ...(await openOptions(args, context)), ...options });
  }
  const other = OF_OTHER_ENGINES.find((name) => args.text(name) !== undefined);
  if (other !== undefined)
    throw new UsageError(
      `\`--engine llama.cpp\` and \`--${other}\` exclude each other: leave one of them out`,
    );
  const { openLlamaAnswerer } = await import('../../../pipeline/deploy/open-llama.js');
  const { TOGETHER } = await import('../../../compute/evaluation/chat.js');
  return openLlamaAnswerer(context.host, {
    ...sourceOf(args, context),
    template: options.template,
    rows: options.oneAtATime === true ? 1 : TOGETHER,
  });
}

const OF_OTHER_ENGINES = ['runtime', 'python'] as const;

async function engineOf(args: Arguments, { host }: CliContext): Promise<OpenAnswererOptions['engine']> {
  const { decideEngine } = await import('../../../pipeline/prepare/engine.js');
  const { stageEngine } = await import('../../../pipeline/stages/stage-engine.js');
  const engine = ENGINE_CHOICES.find((name) => name === args.text('engine'));
  const options = { engine, python: args.text('python'), runtime: runtimeOf(args) };
  const { engine: decided, diagnostics } = await decideEngine(host, { options, program: undefined });
  const wrong = diagnostics.find(({ severity }) => severity === 'error');
  if (wrong !== undefined) throw new UserError(wrong);
  return stageEngine(decided, undefined);
}

export function answerOptions(args: Arguments): AnswerOptions {
  const options = {
    maxTokens: wholeFrom(1, args, 'max-tokens') ?? LONGEST,
    temperature: within(args, 'temperature', (value) => value >= 0, '0 or more'),
    topP: within(args, 'top-p', (value) => value > 0 && value <= 1, 'above 0 and at most 1'),
    topK: wholeFrom(1, args, 'top-k'),
    minP: within(args, 'min-p', (value) => value >= 0 && value <= 1, 'from 0 to 1'),
    repetitionPenalty: within(
      args,
      'repetition-penalty',
      (value) => value >= 0.01 && value <= 100,
      'from 0.01 to 100',
    ),
    seed: wholeFrom(0, args, 'seed'),
    stop: args.texts('stop'),
  };
  if (options.stop.includes('')) throw new UsageError('`--stop` needs a text that is not empty');
  const idle = OF_DRAWS.find((name) => args.number(name) !== undefined);
  if (idle !== undefined && (options.temperature ?? 0) === 0)
    throw new UsageError(`\`--${idle}\` only affects sampling, which is off: add \`--temperature 1\``);
  return options;
}

/** Options without effect unless tokens are sampled. */
const OF_DRAWS = ['top-p', 'top-k', 'min-p', 'seed'] as const;

const wholeFrom = (least: number, args: Arguments, name: string): number | undefined =>
  within(
    args,
    name,
    (value) => Number.isSafeInteger(value) && value >= least,
    `a whole number from ${least}`,
  );

function within(args: Arguments, name: string, allows: (value: number) => boolean, range: string) {
  const value = args.number(name);
  if (value !== undefined && !allows(value))
    throw new UsageError(`\`--${name}\` must be ${range}, not ${value}`);
  return value;
}

/**
 * What a model wrote, as it goes to standard output: without what could drive the terminal on which a pipe or a log may end,
 * unless it is asked for.
 */
export const shown = (text: string, args: Pick<Arguments, 'flag'>): string =>
  args.flag('raw-output') ? text : harmless(text);

/** An answer as JSON on one line, in which nothing drives a terminal either. */
export const answerLine = (found: object): string =>
  JSON.stringify({ version: 1, ...found }).replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Writes an answer as it grows. */
export const printer =
  (args: Arguments): ((piece: string) => void) =>
  (piece) =>
    void process.stdout.write(shown(piece, args));

/** A question needs a template that says how it is asked. */
export const noTemplate = ({ label }: Answerer): UserError =>
  new UserError(
    modelError({
      code: 'model_template',
      path: label,
      detail: 'the model has no chat template',
      help: 'write the whole prompt yourself: `ftpc generate MODEL TEXT --raw`',
    }),
  );

/** The answer of `ask`; a model that gives no numbers is for the user to fix. */
export async function answersOf<T>(model: Answerer, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { NoNumberError } = await import('../../../compute/evaluation/generation/answer.js');
    const { noNumbers } = await import('../../../compute/evaluation/evaluation-diagnostics.js');
    throw error instanceof NoNumberError ? noNumbers(model.label) : error;
  }
}

/** How the command line has a model asked: as the rows asked that it was trained on, unless options say otherwise. */
import { resolve } from 'node:path';
import type { Answerer, Prompt } from '../../compute/evaluation/chat.js';
import {
  hasManySystems,
  type RowPrompt,
  systemOf,
  withSystem,
} from '../../compute/models/training-prompt.js';
import type { ChatMessage } from '../../compute/models/types.js';
import { counted } from '../../language/diagnostics/make.js';
import { HostError } from '../../language/host/host.js';
import { CHAT_STYLES } from '../../language/schemas/functions/template.js';
import type { OpenAnswererOptions } from '../../pipeline/deploy/open-answerer.js';
import { type CliContext, messageWidth } from './cli-context.js';
import { type Arguments, didYouMean, type OptionSpec, option, UsageError } from './command.js';

export const ASKING_OPTIONS = {
  system: option.text(
    'TEXT',
    'The system message; default: that of training, where all rows had the same. Texts to be continued have none.',
  ),
  'no-system': option.flag('Answer without the system message of training.'),
  template: option.text(
    'NAME',
    `How questions are written: model (the base's chat template), ${CHAT_STYLES.join(', ')}, or a Jinja file; default: as in training.`,
  ),
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Throws a `UsageError` for options that contradict each other; `isRaw`: the question is the whole prompt. */
export function checkAsking(args: Arguments, isRaw = false): void {
  const [given] = (['system', 'no-system', 'template'] as const).filter((name) =>
    name === 'no-system' ? args.flag(name) : args.text(name) !== undefined,
  );
  if (isRaw && given !== undefined)
    throw new UsageError(
      `\`--raw\` and \`--${given}\` contradict each other: a raw question is the whole prompt, so leave one of them out`,
    );
  if (args.flag('no-system') && args.text('system') !== undefined)
    throw new UsageError('`--system` and `--no-system` contradict each other: give one of them');
}

/** The template that is asked for. Throws a `UsageError` for one that there is not. */
export function templateOption(args: Arguments, { host }: CliContext): OpenAnswererOptions['template'] {
  const name = args.text('template');
  if (name === undefined || name === 'model') return name;
  const styles: readonly string[] = CHAT_STYLES;
  const path = styles.includes(name)
    ? `${host.packageFolder}/stdlib/chat/${name}.jinja`
    : resolve(host.cwd, name);
  try {
    return { source: host.readText(path), path };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw /[./\\]/.test(name)
      ? new UsageError(`\`--template\`: \`${name}\` cannot be read: ${error.detail}`)
      : new UsageError(
          `\`--template\` takes ${['model', ...styles].join(', ')} or a Jinja file, not \`${name}\`${didYouMean(name, ['model', ...styles])}`,
        );
  }
}

/**
 * How messages are asked of a model: a function that makes a prompt of them. Says on standard error what training
 * decides. A talk is never a text to be continued. Throws a `UsageError` for a system message before such a text.
 */
export function askedAs(
  args: Arguments,
  { training }: Answerer,
  context: CliContext,
  isTalk = false,
): (messages: readonly ChatMessage[]) => Prompt {
  const named = args.text('template');
  const continues = training?.style === 'text' && named === undefined && !isTalk;
  const own = args.text('system');
  if (continues && own !== undefined)
    throw new UsageError(
      'the rows of training were texts, so the question is continued without `--system`: write what it says into the question, or ask in a chat with `--template model`',
    );
  const system = args.flag('no-system') ? undefined : (own ?? systemOf(training));
  if (training !== undefined) {
    const isOpen = own === undefined && !args.flag('no-system') && !continues;
    for (const line of [
      ...(named === undefined && (continues || training.style === 'chat') ? templateLines(training) : []),
      ...(isOpen ? systemLines(training, messageWidth(context) ?? LONGEST) : []),
    ])
      context.err(line);
  }
  return (messages) => {
    const [only, ...others] = messages;
    if (continues && only !== undefined && others.length === 0) return only.content;
    return withSystem(messages, system);
  };
}

/** Of a line where no terminal says how wide it may be. */
const LONGEST = 200;

function templateLines({ style, template }: RowPrompt): readonly string[] {
  if (template === null) return [];
  const other = style === 'text' ? 'asks in a chat' : "uses the base's";
  return [`template of training: ${template}; --template model ${other}`];
}

function systemLines(training: RowPrompt, width: number): readonly string[] {
  const system = systemOf(training);
  if (system !== undefined) {
    const before = 'system prompt of training: ';
    const whole = `${before}${JSON.stringify(system)}; --no-system answers without`;
    if (whole.length <= width) return [whole];
    const after = '; --no-system omits it';
    return [`${before}${quoted(system, width - before.length - after.length)}${after}`];
  }
  if (!hasManySystems(training)) return [];
  const { systems, otherRows } = training;
  const rows = [
    ...systems.map(({ text, rows }) => [text === null ? 'none' : text, counted(rows, 'row')] as const),
    ...(otherRows > 0 ? [['others', counted(otherRows, 'row')] as const] : []),
  ];
  const most = Math.max(...rows.map(([, count]) => count.length));
  return [
    `the rows of training had ${otherRows > 0 ? 'more than ' : ''}${systems.length} system prompts, so none is used:`,
    ...rows.map(([text, count], index) => {
      const shown = systems[index]?.text == null ? text : quoted(text, width - most - 4);
      return `  ${count.padStart(most)}  ${shown}`;
    }),
    'choose one with --system TEXT',
  ];
}

/** A text on one line between quotes, cut where it takes more columns. */
function quoted(text: string, columns: number): string {
  const whole = JSON.stringify(text);
  return whole.length <= columns
    ? whole
    : `${whole.slice(0, Math.max(10, columns - 2)).replace(/\\+$/, '')}…"`;
}

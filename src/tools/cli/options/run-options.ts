/** Options of `ftpc run` that say how it goes on where something is in its way; none of them changes an output. */
import { UNITS } from '../../../../grammar/units.js';
import { lookUp } from '../../../language/source/look-up.js';
import { type Arguments, type OptionSpec, option, UsageError } from '../command.js';
import type { Preemption } from '../interrupts.js';

export const NOTICE: OptionSpec = option.text(
  'TIME',
  'Time between being told to end and being ended, e.g. 30s or 2m: progress is saved within it. Default: no limit is known.',
);

export const RUN_ON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  retries: option.number(
    'N',
    'Further tries for a stage whose fault may pass, such as a network that is down or a process that was killed; default: 2.',
  ),
  notice: NOTICE,
  'preempt-on': option.text(
    'SIGN',
    'End the run on this as on SIGTERM: a signal, e.g. SIGUSR1, or a file that appears; may be given more than once.',
    { many: true },
  ),
};

const MOST_RETRIES = 100;

export function retriesOf(args: Arguments): number {
  const retries = args.number('retries') ?? 2;
  if (Number.isInteger(retries) && retries >= 0 && retries <= MOST_RETRIES) return retries;
  throw new UsageError(`\`--retries\` needs a whole number from 0 to ${MOST_RETRIES}`);
}

/** Seconds. */
export function noticeOf(args: Arguments): number | undefined {
  const text = args.text('notice');
  if (text === undefined) return undefined;
  const [, number, suffix = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text) ?? [];
  const unit = lookUp(UNITS, suffix);
  const seconds = unit?.measure === 'seconds' ? Number(number) * unit.factor : 0;
  if (seconds >= 1) return seconds;
  throw new UsageError(`\`--notice\` needs a time of at least 1s with its unit, e.g. 30s, not \`${text}\``);
}

/** Signals that a program may listen to, and that nothing here means something else by. */
const SIGNS: ReadonlySet<string> = new Set(['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGXCPU', 'SIGPWR', 'SIGURG']);

/** A word in capitals is a signal, anything else a file. */
export function preemptionOf(args: Arguments): Preemption {
  const signals: NodeJS.Signals[] = [];
  const files: string[] = [];
  for (const text of args.texts('preempt-on')) {
    const signal = text.startsWith('SIG') ? text : `SIG${text}`;
    if (SIGNS.has(signal)) signals.push(signal as NodeJS.Signals);
    else if (/^[A-Z][A-Z0-9]*$/.test(text))
      throw new UsageError(
        `\`--preempt-on\` does not take the signal \`${text}\`: it takes ${[...SIGNS].join(', ')}; a file of that name is \`./${text}\``,
      );
    else files.push(text);
  }
  return { signals, files };
}

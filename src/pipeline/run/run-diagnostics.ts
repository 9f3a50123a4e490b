/** What can go wrong while stages run, as diagnostics. */

import { userProblem } from '../../compute/models/user-problem.js';
import { OutOfMemoryError, translateHostError } from '../../compute/tensor/out-of-memory.js';
import { error, warning } from '../../language/diagnostics/make.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { OPEN_FILES } from '../../language/host/system-limit.js';
import type { Search, Stage } from '../../language/ir/program.js';
import { bytes, duration } from '../planner/quantities.js';

export function processKilled(stage: Stage, signal: string, peakBytes: number, outOfMemory: boolean) {
  const peak = peakBytes > 0 ? `; its peak memory was ${bytes(peakBytes)}` : '';
  return error(
    'FTP0811',
    stage.span,
    outOfMemory
      ? `the process of stage \`${stage.name}\` was killed by the system because it ran out of memory (${signal})${peak}`
      : `the process of stage \`${stage.name}\` was killed from outside (${signal})${peak}`,
    {
      notes: outOfMemory
        ? []
        : ['the sender is unknown; SIGKILL often comes from the system when memory runs out'],
      help: 'run again: it resumes from the last checkpoint; `ftpc plan` shows what the stage needs',
    },
  );
}

/** What goes wrong in a trial of a search. */
export const asTrial = (found: Diagnostic, search: string): Diagnostic =>
  found.severity === 'error'
    ? {
        ...found,
        severity: 'warning',
        notes: [...(found.notes ?? []), `the search \`${search}\` goes on without this trial`],
      }
    : found;

/** `why`: how many ended in which way. */
export const noTrialEnded = ({ name, span }: Pick<Search, 'name' | 'span'>, why: string) =>
  error('FTP2210', span, `no trial of the search \`${name}\` can win: ${why}`, {
    label: 'nothing to choose from',
    help: 'mend what their messages say, or let the matrices have other values; trials that failed are tried again by the next run',
  });

export const processEnded = (stage: Stage) =>
  error('FTP0811', stage.span, `the process of stage \`${stage.name}\` was ended from outside (SIGTERM)`, {
    help: 'run again: it resumes from what it saved',
  });

/** `why`: what the system is short of. */
export const processNotStarted = (stage: Stage, why: string) =>
  error('FTP0814', stage.span, `no process could be started for stage \`${stage.name}\`: ${why}`, {
    help: 'run again when other programs have ended, or with fewer stages at once (`--parallel 1`)',
  });

/** `from`: where the next run goes on. */
export const notSaved = (stage: Stage, notice: number | undefined, from: string) =>
  warning(
    'FTP0816',
    stage.span,
    `stage \`${stage.name}\` was ended before it had saved its progress${notice === undefined ? '' : `, within a notice of ${duration(notice)}`}`,
    {
      notes: [`the next run goes on from ${from}`],
      help: 'save often (`checkpoint = { every: … }`), use a smaller `batch.micro`, or ask for a longer notice',
    },
  );

export const processCrashed = (stage: Stage, how: string, tail: readonly string[]) =>
  error('FTP0812', stage.span, `the process of stage \`${stage.name}\` ended without a result (${how})`, {
    notes: tail,
    help: 'run again: it resumes from the last checkpoint; `ftpc doctor` checks the native libraries',
  });

export const noFilesLeft = (stage: Stage) =>
  error(OPEN_FILES.code, stage.span, OPEN_FILES.message, {
    notes: [`the process of stage \`${stage.name}\` could not begin`],
    help: OPEN_FILES.help,
  });

export const fileChanged = (stage: Stage, file: string, when: 'before' | 'while') =>
  error(
    'FTP0805',
    stage.span,
    when === 'before'
      ? `\`${file}\` changed after this run began, before stage \`${stage.name}\`: it is not what the plan saw`
      : `\`${file}\` changed while stage \`${stage.name}\` ran: its output is not kept`,
    { help: 'run again when nothing writes to the file' },
  );

export const claimLost = (stage: Stage) =>
  error(
    'FTP0806',
    stage.span,
    `another process took stage \`${stage.name}\` over, as this one gave no sign of life`,
    {
      notes: ['a machine that sleeps, or a store that cannot be reached, does that'],
      help: 'run again: it waits for the other process, or finds what it made',
    },
  );

const outOfMemory = (stage: Stage, detail: string) =>
  error('FTP0813', stage.span, `stage \`${stage.name}\` ran out of memory: ${detail}`, {
    help: 'let the planner choose (no `using`, no `batch.micro`), or list more in `fallback`',
  });

export function requirementFailed(stage: Stage, text: string, span: Stage['span'], found: string) {
  const gate = stage.kind === 'eval';
  return error(
    gate ? 'FTP0822' : 'FTP0821',
    span,
    gate
      ? `the gate of \`${stage.name}\` is closed: \`require ${text}\` does not hold (${found})`
      : `\`require ${text}\` of stage \`${stage.name}\` does not hold (${found})`,
    {
      help: gate
        ? 'stages that depend on this gate are not run'
        : 'the report of the stage lists the dropped rows with their reasons',
    },
  );
}

/** `figure`: its value, with its unit. The limit is in `text`. */
export const budgetExceeded = (text: string, span: Stage['span'], figure: string) =>
  error('FTP0823', span, `the run exceeded its budget \`require ${text}\`: it used ${figure}`, {
    help: 'the outputs are kept; raise the budget or reduce the work',
  });

export const unknownMetric = (stage: Stage, text: string, span: Stage['span'], names: string) =>
  error(
    'FTP0824',
    span,
    `\`require ${text}\` cannot be evaluated: stage \`${stage.name}\` measured no ${names}`,
    {
      help: 'make sure that it is measured (`metrics` and `baseline` of an eval stage, `validate` of a train stage), or remove the requirement',
    },
  );

export const internalError = (stage: Stage, message: string, trace: string) =>
  error('FTP0899', stage.span, `this is a bug in ftpc: stage \`${stage.name}\` stopped with “${message}”`, {
    notes: [`the trace is in \`${trace}\``],
    help: 'report it with that file',
  });

/** The diagnostic of an error that ended a stage; `undefined` for a bug. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  const failure = translateHostError(error);
  if (failure instanceof OutOfMemoryError) return outOfMemory(stage, failure.message.split('\n')[0] ?? '');
  return undefined;
}

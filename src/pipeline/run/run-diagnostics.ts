/** What can go wrong while stages run, as diagnostics. */

import { userProblem } from '../../compute/models/user-problem.js';
import { OutOfMemoryError, translateHostError } from '../../compute/tensor/out-of-memory.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Stage } from '../../language/ir/program.js';
import { bytes } from '../planner/quantities.js';

export function processKilled(
  stage: Stage,
  signal: string,
  peakBytes: number,
  outOfMemory: boolean,
): Diagnostic {
  const peak = peakBytes > 0 ? `; its peak memory was ${bytes(peakBytes)}` : '';
  return {
    code: 'FTP0811',
    severity: 'error',
    message: outOfMemory
      ? `the process of stage \`${stage.name}\` was killed by the system because it ran out of memory (${signal})${peak}`
      : `the process of stage \`${stage.name}\` was killed from outside (${signal})${peak}`,
    at: stage.span,
    notes: outOfMemory
      ? []
      : ['the sender is unknown; SIGKILL often comes from the system when memory runs out'],
    help: 'run again: it resumes from the last checkpoint; `ftpc plan` shows what the stage needs',
  };
}

export function processCrashed(stage: Stage, how: string, tail: readonly string[]): Diagnostic {
  return {
    code: 'FTP0812',
    severity: 'error',
    message: `the process of stage \`${stage.name}\` ended without a result (${how})`,
    at: stage.span,
    notes: tail,
    help: 'run again: it resumes from the last checkpoint; `ftpc doctor` checks the native libraries',
  };
}

export function fileChanged(stage: Stage, file: string, when: 'before' | 'while'): Diagnostic {
  return {
    code: 'FTP0805',
    severity: 'error',
    message:
      when === 'before'
        ? `\`${file}\` changed after this run began, before stage \`${stage.name}\`: it is not what the plan saw`
        : `\`${file}\` changed while stage \`${stage.name}\` ran: its output is not kept`,
    at: stage.span,
    help: 'run again when nothing writes to the file',
  };
}

function outOfMemory(stage: Stage, detail: string): Diagnostic {
  return {
    code: 'FTP0813',
    severity: 'error',
    message: `stage \`${stage.name}\` ran out of memory: ${detail}`,
    at: stage.span,
    help: 'let the planner choose (no `using`, no `batch.micro`), or list more in `fallback`',
  };
}

export function requirementFailed(
  stage: Stage,
  text: string,
  span: Stage['span'],
  found: string,
): Diagnostic {
  const gate = stage.kind === 'eval';
  return {
    code: gate ? 'FTP0822' : 'FTP0821',
    severity: 'error',
    message: gate
      ? `the gate of \`${stage.name}\` is closed: \`require ${text}\` does not hold (${found})`
      : `\`require ${text}\` of stage \`${stage.name}\` does not hold (${found})`,
    at: span,
    help: gate
      ? 'stages that depend on this gate are not run'
      : 'the report of the stage lists the dropped rows with their reasons',
  };
}

/** `figure`: its value, with its unit. The limit is in `text`. */
export function budgetExceeded(text: string, span: Stage['span'], figure: string): Diagnostic {
  return {
    code: 'FTP0823',
    severity: 'error',
    message: `the run exceeded its budget \`require ${text}\`: it used ${figure}`,
    at: span,
    help: 'the outputs are kept; raise the budget or reduce the work',
  };
}

/** `time`: whether the limit is on a time, which depends on what else the machine is doing. */
export function budgetBroken(text: string, span: Stage['span'], figure: string, time: boolean): Diagnostic {
  return {
    code: 'FTP0825',
    severity: 'error',
    message: `the plan exceeds the budget \`require ${text}\`: it needs ${figure}`,
    at: span,
    ...(time
      ? {
          notes: [
            'times are estimated from the speed of this machine, which is lower while other programs run: it is measured again once `.ftp/speed.json` is removed',
          ],
        }
      : {}),
    help: 'nothing was run; `ftpc plan` shows what uses it',
  };
}

export function unknownMetric(stage: Stage, text: string, span: Stage['span'], names: string): Diagnostic {
  return {
    code: 'FTP0824',
    severity: 'error',
    message: `\`require ${text}\` cannot be evaluated: stage \`${stage.name}\` measured no ${names}`,
    at: span,
    help: 'make sure that it is measured (`metrics` and `baseline` of an eval stage, `validate` of a train stage), or remove the requirement',
  };
}

export function internalError(stage: Stage, message: string, trace: string): Diagnostic {
  return {
    code: 'FTP0899',
    severity: 'error',
    message: `this is a bug in ftpc: stage \`${stage.name}\` stopped with “${message}”`,
    at: stage.span,
    notes: [`the trace is in \`${trace}\``],
    help: 'report it with that file',
  };
}

/** The diagnostic of an error that ended a stage; `undefined` for a bug. */
export function diagnosticOf(error: unknown, stage: Stage): Diagnostic | undefined {
  const found = userProblem(error);
  if (found !== undefined) return { at: stage.span, ...found };
  const failure = translateHostError(error);
  if (failure instanceof OutOfMemoryError) return outOfMemory(stage, failure.message.split('\n')[0] ?? '');
  return undefined;
}

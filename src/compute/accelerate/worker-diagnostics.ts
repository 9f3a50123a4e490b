/** Why a worker cannot answer, in words. */
import { error } from '../../language/diagnostics/make.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Span } from '../../language/source/span.js';
import { NoNumberError } from '../evaluation/generation/answer.js';
import { OutOfMemoryError } from '../tensor/out-of-memory.js';
import { importAdvice } from './import-advice.js';
import { notStartedBecause } from './not-started.js';
import type { WorkerFault } from './worker-lines.js';

export type WorkerFailure =
  | { readonly why: 'not_started'; readonly error: NodeJS.ErrnoException }
  /** `starved`: by the system, which ran out of memory. */
  | { readonly why: 'killed'; readonly signal: NodeJS.Signals; readonly starved: boolean }
  | { readonly why: 'ended'; readonly code: number | null }
  /** No sign of life for too long. */
  | {
      readonly why: 'silent';
      readonly seconds: number;
      readonly isStopped: boolean;
      readonly isStarting: boolean;
    };

export interface WorkerPlace {
  readonly python: string;
  /** The stage that it works for. */
  readonly at?: Span;
  /** What it wrote last. */
  readonly tail?: readonly string[];
}

const AGAIN = 'run again; `ftpc doctor` tries the environment';

/** What is thrown where the process failed. */
export function failureError(failure: WorkerFailure, { python, at, tail = [] }: WorkerPlace): Error {
  switch (failure.why) {
    case 'not_started':
      return new UserError(notStarted(python, failure.error, at));
    case 'killed':
      return failure.starved
        ? new OutOfMemoryError('the system killed the Python process, as it ran out of memory', {
            memory: 'host',
          })
        : new UserError(
            error(
              'FTP1870',
              at,
              `the Python process that evaluates was ended from outside (${failure.signal})`,
              {
                notes: tail,
                help: AGAIN,
              },
            ),
          );
    case 'silent':
      return new UserError(silent(failure, tail, at));
    case 'ended':
      return new UserError(
        error(
          'FTP1872',
          at,
          `the Python process that evaluates ended without an answer (exit code ${failure.code ?? 'unknown'})`,
          { notes: [`the interpreter is \`${python}\``, ...tail], help: AGAIN },
        ),
      );
  }
}

function silent(
  { seconds, isStopped, isStarting }: Extract<WorkerFailure, { why: 'silent' }>,
  tail: readonly string[],
  at: Span | undefined,
): Diagnostic {
  const how = isStopped ? 'was stopped (SIGSTOP)' : isStarting ? 'does not start' : 'hangs';
  const bound = isStarting ? 'FTPC_RANK_START' : 'FTPC_RANK_SILENCE';
  return error(
    'FTP1871',
    at,
    `the Python process that evaluates ${how}: no sign of life for ${Math.round(seconds)} s`,
    { notes: tail, help: `run again; \`${bound}=SECONDS\` waits longer` },
  );
}

function notStarted(python: string, refused: NodeJS.ErrnoException, at: Span | undefined): Diagnostic {
  const { why, advice } = notStartedBecause(refused, python);
  return error('FTP1873', at, `no Python process could be started: ${why}`, advice);
}

const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');

/** Lines of a trace that are shown: where it happened, and what. */
const TRACE_LINES = 6;

/** What is thrown where a request failed; `label` is what is asked, for people. */
export function faultError(
  { kind, message, trace }: WorkerFault,
  label: string,
  { python, at, tail = [] }: WorkerPlace,
): Error {
  const [first = kind, ...more] = linesOf(message);
  switch (kind) {
    case 'out_of_memory':
      return new OutOfMemoryError(first, { memory: /cuda/i.test(message) ? 'device' : 'host' });
    case 'not_finite':
      return new NoNumberError();
    case 'model':
      return new UserError(
        error('FTP1874', at, `PyTorch cannot load \`${label}\`: ${first}`, {
          notes: more,
          help: 'check that the folder is complete and that this transformers knows its architecture; or use `--engine embedded`',
        }),
      );
    case 'versions':
    case 'package':
      return new UserError(
        error('FTP1875', at, `the Python of the accelerate engine cannot do this: ${first}`, {
          notes: [`the interpreter is \`${python}\``],
          help: 'run again, which plans with what is there now; or `ftpc runtime install accelerate`',
        }),
      );
    case 'import':
      return new UserError(
        error(
          'FTP1877',
          at,
          `the Python of the accelerate engine cannot import its packages: ${first}`,
          importAdvice(python),
        ),
      );
    default:
      return new UserError(
        error('FTP1876', at, `the Python process that evaluates failed: ${first}`, {
          notes: trace === undefined ? tail : linesOf(trace).slice(-TRACE_LINES),
          help: AGAIN,
        }),
      );
  }
}

/** Why ranks failed, in words. */
import type { NodePlace } from '../../../../compute/accelerate/engine.js';
import { importAdvice } from '../../../../compute/accelerate/import-advice.js';
import { notStartedBecause } from '../../../../compute/accelerate/not-started.js';
import type { RankFailure } from '../../../../compute/accelerate/rank-failure.js';
import type { FaultKind, RankDevice, RankEventOf } from '../../../../compute/accelerate/spec.js';
import { OutOfMemoryError } from '../../../../compute/tensor/out-of-memory.js';
import { notFinite, StepOutOfMemoryError } from '../../../../compute/training/failures.js';
import { error } from '../../../../language/diagnostics/make.js';
import { type Diagnostic, UserError } from '../../../../language/diagnostics/types.js';
import type { Stage } from '../../../../language/ir/program.js';

interface FailureContext {
  readonly stage: Stage;
  readonly device: RankDevice;
  readonly python: string;
  /** The place of this machine among several. */
  readonly nodes: NodePlace | undefined;
  /** Learning rate of the last step. */
  readonly rate: number;
}

/** What a stage throws whose ranks failed: a `UserError`, or an `OutOfMemoryError`. */
export function rankError(failure: RankFailure, context: FailureContext): Error {
  const { stage } = context;
  switch (failure.why) {
    case 'said':
      return saidError(failure.error, failure.tail, context);
    case 'killed':
      return failure.starved
        ? new OutOfMemoryError(`the system killed rank ${failure.rank}, as it ran out of memory`, {
            memory: 'host',
          })
        : new UserError(rankKilled(stage, failure));
    case 'silent':
      return new UserError(rankSilent(stage, failure, context.nodes));
    case 'ended':
      return new UserError(rankEnded(stage, failure));
    case 'not_started':
      return new UserError(rankNotStarted(stage, context.python, failure.error));
  }
}

type Said = RankEventOf<'error'>;

const BY_KIND: {
  readonly [K in Exclude<FaultKind, 'out_of_memory' | 'not_finite'>]: (
    said: Said,
    tail: readonly string[],
    context: FailureContext,
  ) => Diagnostic;
} = {
  versions: packagesDiffer,
  package: packagesDiffer,
  import: ({ message }, _, { stage, python }) =>
    error(
      'FTP1897',
      stage.span,
      `the ranks of stage \`${stage.name}\` cannot import their packages: ${linesOf(message)[0] ?? ''}`,
      importAdvice(python),
    ),
  disk_full: ({ message }, _, { stage }) =>
    error('FTP0801', stage.span, `the ranks of stage \`${stage.name}\` cannot write: no space is left`, {
      notes: linesOf(message),
      help: 'free some space, or raise the limit (`ulimit -f`), and run again: it resumes from the last checkpoint',
    }),
  model: ({ message }, _, { stage }) =>
    error('FTP1894', stage.span, `the base of stage \`${stage.name}\` cannot be loaded by PyTorch`, {
      notes: linesOf(message),
      help: 'check the files of the base, install a transformers that knows its architecture, or train it with `--engine embedded`',
    }),
  distributed: ({ message, rank }, tail, { stage }) =>
    error('FTP1895', stage.span, `rank ${rank} of stage \`${stage.name}\` lost the others`, {
      notes: [...linesOf(message), ...tail],
      help: 'run again: it resumes from the last checkpoint; where it lasts, look at the network between the devices',
    }),
  bug: ({ message, rank, trace }, tail, { stage }) =>
    error(
      'FTP1892',
      stage.span,
      `rank ${rank} of stage \`${stage.name}\` failed: ${linesOf(message)[0] ?? ''}`,
      {
        notes: trace == null ? tail : linesOf(trace).slice(-TRACE_LINES),
        help: RESUMES,
      },
    ),
};

/** Lines of a trace that are shown: where it happened, and what. */
const TRACE_LINES = 6;
const RESUMES = 'run again: it resumes from the last checkpoint; `ftpc doctor` tries the environment';

const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');

function saidError(said: Said, tail: readonly string[], context: FailureContext): Error {
  const { kind, message, step, what, value, rate } = said;
  if (kind === 'out_of_memory') {
    const memory = context.device === 'cuda' ? 'device' : 'host';
    const refused = new OutOfMemoryError(linesOf(message)[0] ?? message, { memory });
    return step == null ? refused : new StepOutOfMemoryError(step, refused);
  }
  if (kind === 'not_finite') {
    const number = value === 'nan' || value === undefined ? Number.NaN : Number.POSITIVE_INFINITY;
    return notFinite(what ?? 'loss', number, step ?? 1, rate ?? context.rate);
  }
  return new UserError(BY_KIND[kind](said, tail, context));
}

function packagesDiffer({ message }: Said, _: readonly string[], { stage, python }: FailureContext) {
  return error(
    'FTP1893',
    stage.span,
    `the Python of stage \`${stage.name}\` is not the one that was planned with`,
    {
      notes: [`\`${python}\`: ${message}`],
      help: 'run again, which plans with what is there now; or `ftpc runtime install accelerate`',
    },
  );
}

const rankKilled = ({ name, span }: Stage, { rank, signal, tail }: Extract<RankFailure, { why: 'killed' }>) =>
  error('FTP1890', span, `rank ${rank} of stage \`${name}\` was ended from outside (${signal})`, {
    notes: tail,
    help: 'run again: it resumes from the last checkpoint',
  });

function rankSilent(
  { name, span }: Stage,
  { rank, seconds, isStopped, isStarting, tail }: Extract<RankFailure, { why: 'silent' }>,
  nodes: NodePlace | undefined,
) {
  const how = isStopped ? 'was stopped (SIGSTOP)' : isStarting ? 'does not start' : 'hangs';
  const bound = isStarting ? 'FTPC_RANK_START' : 'FTPC_RANK_SILENCE';
  return error(
    'FTP1891',
    span,
    `rank ${rank} of stage \`${name}\` ${how}: no sign of life for ${Math.round(seconds)} s`,
    {
      notes: isStarting && nodes !== undefined ? [...tail, ...meetingNotes(nodes)] : tail,
      help: `run again: it resumes from the last checkpoint; \`${bound}=SECONDS\` waits longer`,
    },
  );
}

/** Ranks of several machines wait for each other before anything else. */
const meetingNotes = ({ count, rendezvous }: NodePlace): readonly string[] => [
  `ranks begin once those of all ${count} nodes have met at ${rendezvous}, where node 0 listens`,
];

const rankEnded = ({ name, span }: Stage, { rank, code, tail }: Extract<RankFailure, { why: 'ended' }>) =>
  error('FTP1892', span, `rank ${rank} of stage \`${name}\` ended without a result (exit code ${code})`, {
    notes: tail,
    help: RESUMES,
  });

function rankNotStarted({ name, span }: Stage, python: string, refused: NodeJS.ErrnoException): Diagnostic {
  const { why, advice } = notStartedBecause(refused, python);
  return error('FTP1896', span, `no rank of stage \`${name}\` could be started: ${why}`, advice);
}

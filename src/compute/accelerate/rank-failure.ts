/** Why ranks failed, as this process sees it. */
import type { RankProcess } from './rank-process.js';
import type { FaultKind, RankEventOf } from './spec.js';

export type RankFailure =
  /** A rank said so itself. */
  | {
      readonly why: 'said';
      readonly rank: number;
      readonly error: RankEventOf<'error'>;
      readonly tail: readonly string[];
    }
  /** `starved`: by the system, which ran out of memory. */
  | {
      readonly why: 'killed';
      readonly rank: number;
      readonly signal: NodeJS.Signals;
      readonly starved: boolean;
      readonly tail: readonly string[];
    }
  /** It gave no sign of life for too long. */
  | {
      readonly why: 'silent';
      readonly rank: number;
      readonly seconds: number;
      readonly isStopped: boolean;
      readonly isStarting: boolean;
      readonly tail: readonly string[];
    }
  /** It ended and said nothing. */
  | {
      readonly why: 'ended';
      readonly rank: number;
      readonly code: number | null;
      readonly tail: readonly string[];
    }
  | { readonly why: 'not_started'; readonly rank: number; readonly error: NodeJS.ErrnoException };

/** What one rank says of the others, or because of them, comes last. */
const CAUSES: readonly FaultKind[] = [
  'versions',
  'package',
  'import',
  'out_of_memory',
  'disk_full',
  'not_finite',
  'model',
  'bug',
];

/**
 * Of all that ranks said and how they ended, what the rest follows from: a rank that was killed leaves others who say that
 * they lost it, and a rank that says why it ends explains those who are found dead afterwards.
 */
export function worstOf(
  failures: readonly RankFailure[],
  errors: readonly RankEventOf<'error'>[],
  ranks: readonly Pick<RankProcess, 'rank' | 'tail'>[],
): RankFailure | undefined {
  const said = (error: RankEventOf<'error'>): RankFailure => ({
    why: 'said',
    rank: error.rank,
    error,
    tail: ranks.find(({ rank }) => rank === error.rank)?.tail() ?? [],
  });
  const causes = CAUSES.flatMap((kind) => errors.filter((error) => error.kind === kind)).map(said);
  const [silent, killed] = (['silent', 'killed'] as const).map((why) =>
    failures.find((failure) => failure.why === why),
  );
  const [cause] = causes;
  const isBug = cause?.why === 'said' && cause.error.kind === 'bug';
  if (cause !== undefined && !(isBug && killed !== undefined)) return cause;
  const lost = errors.filter(({ kind }) => kind === 'distributed').map(said);
  return (
    silent ?? killed ?? failures.find(({ why }) => why === 'not_started') ?? cause ?? lost[0] ?? failures[0]
  );
}

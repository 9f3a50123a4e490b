/** FTP142x–143x: lock files and saved plans. */
import { shellWord } from '../../source/shell-word.js';
import type { Span } from '../../source/span.js';
import { error, warning, wholeFile } from '../make.js';

export const lockUnreadable = (file: string, detail: string) =>
  error('FTP1420', wholeFile(file), `the lock file \`${file}\` cannot be used: ${detail}`, {
    help: 'restore it from version control, or delete it and run `ftpc lock`',
  });

export const lockConflict = (file: string, line: number) =>
  error('FTP1421', { file, line, column: 1 }, `the lock file \`${file}\` has unresolved merge conflicts`, {
    help: 'keep the lines of both sides, remove the conflict markers and run `ftpc lock`; or take one side and run `ftpc lock --upgrade` for what differs',
  });

export const lockMissing = (file: string, pipeline: string) =>
  error('FTP1422', wholeFile(file), `\`--locked\` needs a lock file, but there is no \`${file}\``, {
    help: `run \`ftpc lock ${shellWord(pipeline)}\`, and commit the file`,
  });

export const notLocked = (at: Span | undefined, what: string, file: string, pipeline: string) =>
  error('FTP1423', at, `${what} is not in \`${file}\``, {
    label: 'not locked',
    help: `run \`ftpc lock ${shellWord(pipeline)}\`, and commit the file`,
  });

interface Drift {
  /** `` `data/*.jsonl` `` */
  readonly what: string;
  /** One sentence per difference. */
  readonly differences: readonly string[];
}

/** Differences that are listed per entry. */
const SHOWN = 10;

const shown = (differences: readonly string[]): readonly string[] =>
  differences.length <= SHOWN
    ? differences
    : [...differences.slice(0, SHOWN), `${differences.length - SHOWN} more differ`];

export const drifted = (at: Span | undefined, { what, differences }: Drift, file: string, pipeline: string) =>
  error('FTP1424', at, `${what} differs from \`${file}\``, {
    label: 'differs from the lock',
    notes: shown(differences),
    help: `restore what was locked, or accept the change with \`ftpc lock ${shellWord(pipeline)} --upgrade\``,
  });

export const driftNoticed = (
  at: Span | undefined,
  { what, differences }: Drift,
  file: string,
  pipeline: string,
) =>
  warning('FTP1425', at, `${what} differs from \`${file}\``, {
    label: 'differs from the lock',
    notes: shown(differences),
    help: `accept the change with \`ftpc lock ${shellWord(pipeline)} --upgrade\`; with \`--locked\` this is an error`,
  });

export const savedPlanUnreadable = (file: string, detail: string) =>
  error('FTP1430', wholeFile(file), `\`${file}\` is not a plan that can be run: ${detail}`, {
    help: 'create it again with `ftpc plan PIPELINE --out FILE`',
  });

export const planMoved = (
  at: Span | undefined,
  { what, before, after }: { readonly what: string; readonly before: string; readonly after: string },
  file: string,
  pipeline: string,
) =>
  error('FTP1431', at ?? wholeFile(file), `${what} has changed since \`${file}\` was saved`, {
    label: 'changed since',
    notes: [`then ${before}`, `now ${after}`],
    help: `undo the change, or plan again: \`ftpc plan ${shellWord(pipeline)} --out ${shellWord(file)}\``,
  });

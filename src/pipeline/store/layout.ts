import { isAbsolute, join, relative } from 'node:path';

/** Where everything is that ftpc keeps in a working directory. */
export interface Layout {
  readonly cwd: string;
  readonly root: string;
  /** Complete outputs, one folder a key. */
  readonly store: string;
  /** Checkpoints of stages that are not complete, one folder a key. */
  readonly work: string;
  /** Outputs that are being written: renamed into `store` when complete, swept when their writer is gone. */
  readonly temporary: string;
  readonly runs: string;
  readonly lock: string;
  /** Which process works for the holder of the lock. */
  readonly child: string;
}

export function layoutIn(cwd: string): Layout {
  const root = join(cwd, '.ftp');
  return {
    cwd,
    root,
    store: join(root, 'store'),
    work: join(root, 'work'),
    temporary: join(root, 'tmp'),
    runs: join(root, 'runs'),
    lock: join(root, 'lock'),
    child: join(root, 'lock.child'),
  };
}

/** The key of a stage's output, from the paths that a journal has of it: folders of the store are named by key. */
export const keyOfOutputs = (outputs: unknown): string | undefined =>
  /\.ftp[\\/]store[\\/]([0-9a-f]{64})/.exec(Object.values(outputs ?? {}).join('\n'))?.[1];

/** Every command that looks for a run or an entry goes through these, so that a folder is named in one place. */
export const runFolder = (layout: Layout, runId: string): string => join(layout.runs, runId);
export const journalPath = (layout: Layout, runId: string): string =>
  join(runFolder(layout, runId), 'journal.jsonl');
export const reportPath = (layout: Layout, runId: string): string =>
  join(runFolder(layout, runId), 'report.html');

/** Relative to the working directory, where it lies inside. */
export function fromCwd(cwd: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}

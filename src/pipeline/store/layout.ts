import { dirname, isAbsolute, join, relative } from 'node:path';
import type { Host } from '../../language/host/host.js';

/** Where everything is that ftpc keeps: in a working directory, and in a store that others may use too. */
export interface Layout {
  readonly cwd: string;
  readonly root: string;
  /** What holds the outputs: `root`, or a folder that several working directories, people and machines use. */
  readonly shared: string;
  /** Complete outputs, one folder a key. */
  readonly store: string;
  /** Outputs that publish something where this working directory says; `store` unless that is shared. */
  readonly own: string;
  /** Checkpoints of stages that are not complete, one folder a key. */
  readonly work: string;
  /** Outputs that are being written: renamed into `store` when complete, swept when their writer is gone. */
  readonly temporary: string;
  /** Who makes the output of a key right now, and which directory needs what. */
  readonly claims: string;
  readonly runs: string;
  readonly lock: string;
  /** Which process works for the holder of the lock. */
  readonly child: string;
}

/** `shared`: the absolute folder of a store that is not the working directory's own. */
export function layoutIn(cwd: string, shared: string = join(cwd, '.ftp')): Layout {
  const root = join(cwd, '.ftp');
  return {
    cwd,
    root,
    shared,
    store: join(shared, 'store'),
    own: join(root, 'store'),
    work: join(shared, 'work'),
    temporary: join(shared, 'tmp'),
    claims: join(shared, 'claims'),
    runs: join(root, 'runs'),
    lock: join(root, 'lock'),
    child: join(root, 'lock.child'),
  };
}

/** As the command line asks for it. */
export const layoutOf = ({ cwd, store }: Pick<Host, 'cwd' | 'store'>): Layout => layoutIn(cwd, store);

/** The folders that hold complete outputs. */
export const storesOf = ({ store, own }: Layout): readonly string[] => [...new Set([store, own])];

/** The store of the directory, and the one that it shares where that is another. */
export const rootsOf = ({ root, shared }: Layout): readonly string[] => [...new Set([root, shared])];

/** Where outputs of `own` are written. */
export const ownTemporary = ({ root }: Layout): string => join(root, 'tmp');

/** The store that a path is in: that of the directory, or the one that it shares. */
export const rootOf = ({ root, shared }: Layout, path: string): string =>
  [root, shared].find((folder) => dirname(path) === folder || dirname(dirname(path)) === folder) ?? shared;

/** The key of a stage's output, from the paths that a journal has of it: folders of a store are named by key. */
export const keyOfOutputs = (outputs: unknown): string | undefined =>
  /(?:^|[\\/])store[\\/]([0-9a-f]{64})(?:[\\/]|$)/m.exec(Object.values(outputs ?? {}).join('\n'))?.[1];

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

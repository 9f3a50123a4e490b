import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

export const ROOT = nodeHost().packageFolder;

/** Recorded runs of `pipelines/legal.ftp`, oldest first: see the README next to them. */
export const RUNS = [
  '20261125-090121-3f20',
  '20261125-090324-26d5',
  '20261125-090341-7207',
  '20261125-090347-0c7a',
] as const;

export interface Folder {
  readonly path: string;
  readonly host: Host;
  write(name: string, content: string): void;
}

/** An empty folder that is gone after the tests of the `describe` in which this is called. */
export function freshFolder(): Folder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-insight-')));
  after(() => rmSync(path, { recursive: true, force: true }));
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  return { path, host: nodeHost(path), write };
}

/** A folder in which the recorded runs were made. */
export function folderWithRuns(): Folder {
  const folder = freshFolder();
  cpSync(join(ROOT, 'test/fixtures/insight/runs'), join(folder.path, '.ftp/runs'), { recursive: true });
  return folder;
}

export const journalOf = (run: string): string => `.ftp/runs/${run}/journal.jsonl`;

import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it was built together with this test. */
export const FTPC = fileURLToPath(new URL('../../../bin/main.js', import.meta.url));

export function freshFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-cli-')));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end, without a terminal; `input` is its standard input. */
export function ftpc(
  cwd: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input = '',
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [FTPC, ...words],
      {
        cwd, // Set at all, the two make Node itself speak.
        env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
        maxBuffer: 1 << 26,
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
    child.stdin?.end(input);
  });
}

/** The JSON objects of lines. */
export const objects = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

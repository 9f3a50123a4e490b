import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Check } from './finding.js';

const TIMEOUT = 5_000;

/** The first line that a program prints; `undefined` if it is not there or does not answer. */
async function answer(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { timeout: TIMEOUT });
    const line = stdout.split('\n')[0]?.trim();
    return line === '' ? undefined : line;
  } catch {
    return undefined;
  }
}

/** Nothing here needs it, but people ask for it. */
export const python: Check = async () => {
  const found = await answer('python3', ['--version']);
  return { name: 'python', state: 'note', detail: found ?? 'none found; nothing here needs it' };
};

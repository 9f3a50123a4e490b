import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chooseRuntime } from '../../tensor/runtimes/choice.js';
import type { Check } from './finding.js';

const TIMEOUT = 5_000;

/** The first line that a program prints; `undefined` where it is not there or does not answer. */
async function answer(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { timeout: TIMEOUT });
    const line = stdout.split('\n')[0]?.trim();
    return line === '' ? undefined : line;
  } catch {
    return undefined;
  }
}

/** Things that nothing here needs, but that people ask for. */
export const gpu: Check = async (host) => {
  const found = await answer('nvidia-smi', ['--query-gpu=name,memory.total', '--format=csv,noheader']);
  if (found === undefined)
    return { name: 'GPU', state: 'note', detail: 'none found; training runs on the CPU' };
  const isUsed = chooseRuntime(host) === 'tensorflow';
  return {
    name: 'GPU',
    state: 'note',
    detail: found,
    help: isUsed ? undefined : '`ftpc runtime install tensorflow` lets training run on it',
  };
};

export const python: Check = async () => {
  const found = await answer('python3', ['--version']);
  return { name: 'python', state: 'note', detail: found ?? 'none found; nothing here needs it' };
};

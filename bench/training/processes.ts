/** Measurements in processes of their own: each is told a task as JSON, and says what it measured as its last line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeHost } from '../../src/language/host/node-host.js';

/** The Python of the peers. */
export const python = process.env['FTPC_PYTHON'] || 'python3';

/** Whether that has some packages: `torch, trl`. */
export const canImport = (packages: string): boolean =>
  spawnSync(python, ['-c', `import ${packages}`]).status === 0;

/** The command of a script of this program. */
export const scriptAt = (url: URL): readonly string[] => [
  process.execPath,
  '--expose-gc',
  fileURLToPath(url),
];

/** The command of a script in `bench/peers`. */
export const peer = (name: string): readonly string[] => [
  python,
  join(nodeHost().packageFolder, 'bench', 'peers', name),
];

/** What a process measured; a process that fails says why, and gives nothing. */
export function run<Found>([program = '', ...words]: readonly string[], task: object): Found | undefined {
  const ended = spawnSync(program, [...words, JSON.stringify(task)], { encoding: 'utf8', maxBuffer: 1e8 });
  if (ended.status === 0) return JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as Found;
  console.error(ended.stderr.trim().split('\n').at(-1));
  return undefined;
}

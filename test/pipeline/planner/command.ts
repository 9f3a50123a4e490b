/** `ftpc` in a process of its own, with stages in theirs. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../../src/language/ir/events.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';

const MAIN = join(
  fileURLToPath(new URL('.', import.meta.url)),
  '..',
  '..',
  '..',
  'src',
  'tools',
  'cli',
  'main.js',
);

function printed(folder: string, args: readonly string[]): string {
  return execFileSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1e8,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

export const planIn = (folder: string, ...limits: readonly string[]): Plan =>
  JSON.parse(printed(folder, ['plan', 'pipeline.ftp', '--json', ...limits])) as Plan;

type Finished = Extract<RunEvent, { readonly type: 'stage.finished' }>;

/** The stages that a run of `pipeline.ftp` has finished. */
export const runIn = (folder: string, ...limits: readonly string[]): readonly Finished[] =>
  printed(folder, ['run', 'pipeline.ftp', '--json', ...limits])
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)
    .flatMap((event) => (event.type === 'stage.finished' && event.status === 'done' ? [event] : []));

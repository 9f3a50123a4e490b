/** Python libraries that load what was written here: what they compute from it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { OutputFolder } from '../../../src/language/ir/outputs.js';

/** What a script prints, JSON on each line. */
export function linesFrom<Line>(python: string, script: string, args: readonly string[]): readonly Line[] {
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' },
  });
  expect(status, stderr).to.equal(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Writes into a folder that is made before the tests. */
export const outputIn = (folder: () => string): Pick<OutputFolder, 'write'> => ({
  write(name, content) {
    const path = join(folder(), name);
    mkdirSync(dirname(path), { recursive: true });
    const isWhole = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, isWhole ? content : Buffer.concat([...content]));
  },
});

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const FILES = [
  'adapter/best/adapter_model.safetensors',
  'adapter/last/adapter_model.safetensors',
  'training.json',
];

describe('a training that is killed', () => {
  const folders: string[] = [];
  const fresh = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-kill-'));
    folders.push(folder);
    return folder;
  };
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it('ends with the bytes of one that was not, wherever it was hit @long', async () => {
    const undisturbed = fresh();
    expect((await training(undisturbed, 'output')).done).to.equal(true);
    const disturbed = fresh();
    const firstSteps: number[] = [];
    // After so many steps, and so many milliseconds into whatever follows: a step, a validation, a checkpoint.
    for (const [steps, wait] of [
      [2, 0],
      [3, 3],
      [4, 1],
      [2, 12],
      [5, 6],
    ] as const) {
      const killed = await training(disturbed, 'output-killed', { steps, wait });
      expect(killed.done).to.equal(false);
      firstSteps.push(killed.steps[0] ?? 0);
    }
    const last = await training(disturbed, 'output');
    expect(last.done).to.equal(true);
    expect(Math.max(...firstSteps, last.steps[0] ?? 0), 'no run went on from a checkpoint').to.be.above(1);
    for (const file of FILES) {
      const read = (folder: string): Buffer => readFileSync(join(folder, 'output', file));
      expect(read(disturbed).equals(read(undisturbed)), file).to.equal(true);
    }
  });
});

interface Run {
  readonly done: boolean;
  readonly steps: readonly number[];
}

function training(
  folder: string,
  output: string,
  kill?: { readonly steps: number; readonly wait: number },
): Promise<Run> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, folder, output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let aimed = false;
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    if (kill === undefined || aimed || printed.split('\n').length <= kill.steps) return;
    aimed = true;
    setTimeout(() => child.kill('SIGKILL'), kill.wait);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const lines = printed.split('\n').filter((line) => line !== '');
      resolve({ done: lines.includes('done'), steps: lines.map(Number).filter((step) => step > 0) });
    });
  });
}

/** The Python that tests of the accelerate engine compute with; where there is none they say so and are left out. */
import { execFileSync } from 'node:child_process';
import type { AccelerateEngine } from '../../src/compute/accelerate/engine.js';
import type { Sharding } from '../../src/compute/accelerate/spec.js';

export const PYTHON = process.env['FTPC_PYTHON'];

function whyNot(): string | undefined {
  if (PYTHON === undefined) return '`FTPC_PYTHON` names no Python with PyTorch, Transformers and PEFT';
  try {
    const found = 'import importlib.metadata as m; [m.version(n) for n in ("torch", "transformers", "peft")]';
    execFileSync(PYTHON, ['-c', found], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `\`${PYTHON}\` cannot be used: ${String((error as Error).message).split('\n')[0]}`;
  }
}

const missing = whyNot();

/** A suite that needs Python. */
export const withPython = (title: string, suite: () => void): void => {
  if (missing === undefined) describe(title, suite);
  else it.skip(`${title} (not run: ${missing})`, () => {});
};

/** So many ranks on the CPU. */
export const ranks = (
  devices: number,
  sharding: Sharding = devices === 1 ? 'none' : 'ddp',
): AccelerateEngine => ({
  python: PYTHON ?? 'python3',
  versions: {},
  device: 'cpu',
  devices,
  sharding,
  offload: false,
  attention: 'eager',
});

/** A training of the driver beside the same one by PEFT in a plain loop of PyTorch. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { PYTHON } from '../python.js';
import { apart, lossesOf, type Trained } from './trained.js';

const SCRIPT = join(nodeHost().packageFolder, 'test', 'accelerate', 'train', 'peft_loop.py');
const ADAPTER = 'adapter/last/adapter_model.safetensors';

export interface PlainTraining {
  readonly losses: readonly number[];
  /** File of the adapter. */
  readonly adapter: string;
}

/**
 * Of what the driver was given in the folder of a training; `result`: an empty folder; `base`: a folder with the values
 * of the base, if they are not to be read from its own.
 */
export function trainedByPeft(place: string, result: string, base?: string): PlainTraining {
  const spec = join(place, 'work', '.unfinished-scratch', 'spec.json');
  execFileSync(PYTHON ?? '', [SCRIPT, spec, result, ...(base === undefined ? [] : [base])], {
    stdio: 'pipe',
  });
  const losses = JSON.parse(readFileSync(join(result, 'losses.json'), 'utf8')) as number[];
  return { losses, adapter: join(result, 'adapter_model.safetensors') };
}

/** Every step's loss within 1e-5, and tensors within 2e-5 of their largest. */
export function expectPlain(own: Trained, { losses, adapter }: PlainTraining): void {
  expect(lossesOf(own)).to.have.length(losses.length);
  for (const [step, loss] of losses.entries())
    expect(lossesOf(own)[step], `loss of step ${step + 1}`).to.be.closeTo(loss, 1e-5 * loss);
  expect(apart(adapter, own.path(ADAPTER))).to.be.below(2e-5);
}

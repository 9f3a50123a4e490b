import { join } from 'node:path';
import { expect } from 'chai';
import {
  float32Tensors,
  type RunName,
  recordedRun,
  recordedTensors,
} from '../../compute/training/fixture.js';
import { withPython } from '../python.js';
import { testFolders } from '../train/trained.js';
import { driven, lossesApart } from './drive.js';
import { type Change, initialFactors, writeSpecification } from './specification.js';

/** Whole trainings against recorded ones of PyTorch, PEFT and transformers' Trainer; in short: how many ranks, and how. */
const CASES: Readonly<Record<string, Change & { readonly run?: RunName }>> = {
  lora: {},
  'lora, two ranks, ddp': { run: 'lora', world: 2, sharding: { kind: 'ddp', offload: false } },
  'lora, three ranks, fsdp': { run: 'lora', world: 3, sharding: { kind: 'fsdp', offload: false } },
  "lora, torch's own attention": { run: 'lora', model: { attention: 'sdpa' } },
  dora: {},
  loraplus: {},
  smoothed: {},
  pissa: {},
  qlora: {},
  'qlora, two ranks, fsdp': { run: 'qlora', world: 2, sharding: { kind: 'fsdp', offload: false } },
  'qlora-dora': {},
  'qlora-dora, two ranks, fsdp': {
    run: 'qlora-dora',
    world: 2,
    sharding: { kind: 'fsdp', offload: false },
  },
  'qlora-pissa': {},
  'qlora-pissa, three ranks, fsdp': {
    run: 'qlora-pissa',
    world: 3,
    sharding: { kind: 'fsdp', offload: false },
  },
  prompt: {},
  prefix: {},
  'prefix-projection': {},
  'qlora-prefix': {},
  full: {},
  'full, two ranks, fsdp': { run: 'full', world: 2, sharding: { kind: 'fsdp', offload: false } },
};

withPython('the driver, against recorded trainings', () => {
  const folder = testFolders();
  for (const [title, { run = title as RunName, ...change }] of Object.entries(CASES))
    it(title, async () => {
      const own = folder(run);
      writeSpecification(own, run, change);
      const { steps } = await driven(own, change.world ?? 1);
      expect(lossesApart(steps, recordedRun(run).history), 'losses').to.be.below(1e-5);
      const norms = recordedRun(run).history.map(({ gradNorm }) => ({ loss: gradNorm }));
      expect(
        lossesApart(
          steps.map(({ gradNorm }) => ({ loss: gradNorm })),
          norms,
        ),
        'norms',
      ).to.be.below(1e-4);
      expect(tensorsApart(own, run), 'tensors').to.be.below(1e-4);
    });
});

/**
 * Of every tensor the largest difference, over the tensor's largest value. The signs of singular vectors are arbitrary:
 * of PiSSA products are compared.
 */
function tensorsApart(folder: string, run: RunName): number {
  const file = run === 'full' ? 'last/model.safetensors' : 'last.safetensors';
  const found = new Map(
    [...float32Tensors(join(folder, 'result', file))].map(([name, data]) => [
      name.replace(/^base_model\.model\./, ''),
      data,
    ]),
  );
  const recorded = recordedTensors(`${run}-final.safetensors`);
  if (run.endsWith('pissa')) return apart(products(found, initialFactors(run)), products(recorded));
  const [only] = recorded.size === 1 ? [...found.values()] : [];
  return apart(only === undefined ? found : new Map([[[...recorded.keys()][0] ?? '', only]]), recorded);
}

function apart(
  found: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): number {
  expect([...found.keys()].sort()).to.deep.equal([...expected.keys()].sort());
  let worst = 0;
  for (const [name, values] of expected) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const data = found.get(name);
    for (const [at, value] of values.entries())
      worst = Math.max(worst, Math.abs(value - (data?.[at] ?? Number.NaN)) / largest);
  }
  return worst;
}

/** B·A of every layer, less the product that training began with. */
function products(
  factors: ReadonlyMap<string, Float32Array>,
  first?: ReadonlyMap<string, { readonly data: Float32Array }>,
): ReadonlyMap<string, Float32Array> {
  const none = new Float32Array(0);
  const downs = [...factors.keys()].filter((name) => name.includes('lora_A'));
  const rank = first === undefined ? 8 : 4;
  const of = (values: (name: string) => Float32Array | undefined, name: string): Float32Array =>
    product(values(name) ?? none, values(name.replace('lora_A', 'lora_B')) ?? none, rank);
  return new Map(
    downs.map((name) => {
      const now = of((each) => factors.get(each), name);
      const began = first && of((each) => first.get(each)?.data, name);
      return [name, now.map((value, at) => value - (began?.[at] ?? 0))];
    }),
  );
}

/** `up` `[outputs, rank]` · `down` `[rank, inputs]` */
function product(down: Float32Array, up: Float32Array, rank: number): Float32Array {
  const [rows, columns] = [up.length / rank, down.length / rank];
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < rank; k++)
      sum += (up[Math.floor(at / columns) * rank + k] ?? 0) * (down[k * columns + (at % columns)] ?? 0);
    return sum;
  });
}

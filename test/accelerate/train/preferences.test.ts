/** Trainings with preferences by both engines, and what is left of one whose rank was killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { adapterShapes } from '../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../src/compute/models/load.js';
import { writeAdapter } from '../../../src/compute/packaging/adapters.js';
import type { StageEvent } from '../../../src/language/ir/events.js';
import type { Call } from '../../../src/language/ir/program.js';
import { outputFolder } from '../../../src/pipeline/store/index.js';
import { fixturePath, host } from '../../compute/training/fixture.js';
import {
  folder as fixtures,
  pairs as recordedPairs,
  startOf,
} from '../../compute/training/objectives/recorded.js';
import { DPO, judged, KTO, OBJECTIVES, pairs } from '../../pipeline/stages/train/preference-world.js';
import { ranks, withPython } from '../python.js';
import { killRank } from './rank-processes.js';
import { expectEqual, lossesOf, type TrainOptions, testFolders, trained } from './trained.js';

const ADAPTER = 'adapter/*/adapter_model.safetensors';

/** An optimiser that divides by nothing: tensors of both engines are as near as their losses. */
const SGD: Call = {
  call: 'sgd',
  args: { rate: 0.05, momentum: 0.9, decay: 0.01, clip: 1, loraplus_ratio: 1 },
};

const learning = (
  objective: Call,
  { chosen, lora = {} }: Pick<TrainOptions, 'chosen'> & { readonly lora?: object } = {},
): TrainOptions => ({
  rows: objective.call === 'kto' ? judged() : pairs(),
  // the last batch of a pass has fewer rows
  settings: {
    objective,
    optimizer: SGD,
    lora: { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear', ...lora },
    batch: { global: 5 },
    stop: { epochs: 3 },
    precision: 'f32',
  },
  chosen: { microBatch: 2, accumulation: 3, ...chosen },
});

const SFT: Call = { ...DPO, args: { ...DPO.args, sft: 0.5, label_smoothing: 0.1 } };

/** Compares with random weights of the base's shape. */
const nextTo = (objective: Call): Call => ({
  ...objective,
  args: {
    ...objective.args,
    reference: { call: 'untrained', args: { folder: fixturePath('base'), seed: 5 } },
  },
});

const CASES: Readonly<Record<string, readonly [TrainOptions, AccelerateEngine, file?: string]>> = {
  'dpo with dropout, two ranks, ddp': [learning(SFT, { lora: { dropout: 0.1 } }), ranks(2)],
  'kto, three ranks, fsdp': [learning(KTO), ranks(3, 'fsdp')],
  'reward, two ranks, fsdp': [learning(OBJECTIVES['reward'] ?? DPO), ranks(2, 'fsdp')],
  'dpo next to another model': [learning(nextTo(DPO)), ranks(1)],
  'kto next to another model, two ranks, fsdp': [learning(nextTo(KTO)), ranks(2, 'fsdp')],
  'dpo of every weight next to another model': [
    learning(nextTo(DPO), { chosen: { method: 'full', rank: 0, alpha: 0 } }),
    ranks(1),
    'model/*/model.safetensors',
  ],
  'dpo over a base in four bits': [learning(DPO, { chosen: { method: 'qlora' } }), ranks(1)],
  'dpo of every weight, two ranks, fsdp': [
    learning(DPO, { chosen: { method: 'full', rank: 0, alpha: 0 } }),
    ranks(2, 'fsdp'),
    'model/*/model.safetensors',
  ],
};

withPython('preferences by PyTorch and by the embedded engine', () => {
  const folder = testFolders();

  for (const [name, [options, engine, file = ADAPTER]] of Object.entries(CASES))
    it(`${name}: are the same`, async () => {
      const embedded = await trained(folder(name), options);
      expectEqual(await trained(folder(name), options, engine), embedded, file);
    });

  it('have the base as reference where the adapter starts as a part of it (PiSSA)', async () => {
    const options = learning(DPO, { lora: { init: 'pissa' } });
    const [first] = lossesOf(await trained(folder('pissa'), options, ranks(1)));
    expect(first).to.be.closeTo(Math.LN2, 1e-5);
  });

  it("have the base's own biases as reference, where training goes on from an adapter with others", async () => {
    const own = folder('biases');
    const rows = recordedPairs.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].map((answer, side) => ({
        ids: [...prompt, ...answer],
        labels: [...prompt.map(() => -100), ...answer],
        side: side === 0 ? ('chosen' as const) : ('rejected' as const),
      })),
    );
    const options = learning(DPO);
    const base = { call: 'local', args: { folder: join(fixtures, 'qwen2') } };
    const start = { call: 'peft', args: { folder: writeStart(own) } };
    const given = { ...options, rows, settings: { ...options.settings, base, start, stop: { epochs: 1 } } };
    const embedded = await trained(folder('embedded'), given);
    expectEqual(await trained(folder('ranks'), given, ranks(2, 'fsdp')), embedded, ADAPTER);
    expect(Math.abs((lossesOf(embedded)[0] ?? 0) - Math.LN2)).to.be.above(0.01);
  });

  const ASKED: Readonly<Record<string, readonly [Call, AccelerateEngine]>> = {
    'the base': [KTO, ranks(2)],
    'another model': [nextTo(KTO), ranks(2)],
    'another model that ranks share': [nextTo(DPO), ranks(2, 'fsdp')],
  };
  for (const [reference, [objective, engine]] of Object.entries(ASKED))
    it(`end with the same bytes where a rank is killed while ${reference} is asked, and again among the steps`, async () => {
      if (process.platform !== 'linux') return;
      const options = learning(objective);
      const bytesOf = async (own: string, heard: Pick<TrainOptions, 'told'> = {}) => {
        const { path } = await trained(own, { ...options, ...heard }, engine);
        return readFileSync(path(ADAPTER.replace('*', 'last')));
      };
      const undisturbed = await bytesOf(folder('once'));
      const own = folder('killed');
      for (const isHere of [
        ({ label }: Progress) => label === 'asking the reference',
        ({ step }: Progress) => step === 7,
      ]) {
        const told = (event: StageEvent): void => {
          if (event.type === 'stage.progress' && isHere(event)) killRank(own);
        };
        const error = await bytesOf(own, { told }).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(String(error)).to.contain('was ended from outside (SIGKILL)');
      }
      expect((await bytesOf(own)).equals(undisturbed)).to.equal(true);
    });
});

/** An adapter of a Qwen 2 whose biases are not those of the base. */
function writeStart(folder: string): string {
  const { config: shape } = openModel(host, join(fixtures, 'qwen2'));
  const start = startOf('qwen2', { kind: 'simpo', beta: 1, gamma: 0 });
  const config = { ...start.config, bias: 'all' } as const;
  const tensors = adapterShapes(shape, config).map(({ name, shape: sizes }) => {
    const size = sizes.reduce((product, length) => product * length, 1);
    const other = Float32Array.from({ length: size }, (_, at) => Math.sin(at) / 2);
    return [name, { shape: sizes, data: start.tensors.get(name)?.data ?? other }] as const;
  });
  writeAdapter(
    outputFolder(folder),
    'start',
    { config, tensors: new Map(tensors) },
    {
      base: { name: 'qwen2', revision: null, transposed: false, shape },
    },
  );
  return join(folder, 'start');
}

type Progress = Extract<StageEvent, { type: 'stage.progress' }>;

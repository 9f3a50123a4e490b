import { expect } from 'chai';
import { sizeOf } from '../../../src/compute/tensor/shape.js';
import { clipFactor, globalNorm } from '../../../src/compute/training/clip.js';
import {
  createOptimizer,
  decays,
  OPTIMIZERS,
  type OptimizerName,
  offloading,
  residentBytes,
  type StateAllocator,
  type StateTensor,
  slotBytes,
  workspaceBytes,
} from '../../../src/compute/training/index.js';
import { dynamicMap } from '../../../src/compute/training/optimizers/adam-kernel.js';
import type { Rule, RuleInput } from '../../../src/compute/training/optimizers/optimizer.js';
import type { Pages } from '../../../src/language/ir/outputs.js';
import { fixtureJson } from './fixture.js';
import { adam8bitStep, adamStep } from './plain-adam.js';

interface Case {
  readonly optimizer: OptimizerName;
  readonly shape: readonly number[];
  readonly rate: number;
  readonly decay: number;
  readonly momentum: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly start: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly final: readonly number[];
  readonly state: Readonly<Record<string, readonly number[]>>;
}

/** Slots by the names that the recorded optimiser gives them. */
const SLOTS: Readonly<Record<OptimizerName, Readonly<Record<string, string>>>> = {
  adamw: { exp_avg: 'm', exp_avg_sq: 'v' },
  adamw8bit: { state1: 'm', state2: 'v', absmax1: 'm_absmax', absmax2: 'v_absmax' },
  adafactor: { exp_avg_sq: 'v', exp_avg_sq_row: 'row', exp_avg_sq_col: 'column' },
  lion: { state1: 'm' },
  sgd: { momentum_buffer: 'momentum' },
};

/** Largest relative difference; numbers below `floor` count as it. */
const worst = (found: ArrayLike<number>, expected: readonly number[], floor = 1e-12): number =>
  expected.reduce(
    (most, value, i) =>
      Math.max(most, Math.abs((found[i] ?? Number.NaN) - value) / Math.max(Math.abs(value), floor)),
    0,
  );

describe('optimisers', () => {
  for (const recorded of fixtureJson<Case[]>('optimizers.json')) {
    const { optimizer: name, shape, start, gradients } = recorded;
    it(`${name} of [${shape}], decay ${recorded.decay}, momentum ${recorded.momentum}: the recorded steps`, () => {
      const data = Float32Array.from(start);
      const options = { ...recorded, loraplusRatio: 1 };
      const optimizer = createOptimizer(OPTIMIZERS[name], new Map([['w', { shape, data }]]), options);
      gradients.forEach((gradient, i) => {
        optimizer.update(new Map([['w', Float32Array.from(gradient)]]), i + 1, recorded.rate, 1);
      });
      expect(worst(data, recorded.final, 1e-3)).to.be.below(1e-5);
      for (const [theirs, ours] of Object.entries(SLOTS[name])) {
        const expected = recorded.state[theirs];
        if (expected === undefined) continue;
        const found = optimizer.state.get(`${ours}.w`)?.read() as StateTensor;
        if (found instanceof Uint8Array) expect([...found]).to.deep.equal(expected);
        else expect(worst(found, expected), theirs).to.be.below(2e-5);
      }
      const bytes = [...optimizer.state.values()].reduce((sum, slot) => sum + slotBytes(slot), 0);
      const read = [...optimizer.state.values()].reduce((sum, slot) => sum + slot.read().byteLength, 0);
      expect(read).to.equal(bytes);
    });
  }

  for (const name of Object.keys(OPTIMIZERS) as OptimizerName[])
    it(`${name} computes the same with its state in a file`, () => {
      const file: number[] = [];
      const pages: Pages = {
        read: (position, into) => into.set(file.slice(position, position + into.length)),
        write: (position, bytes) =>
          bytes.forEach((byte, at) => {
            file[position + at] = byte;
          }),
        close() {},
      };
      const shapes = { small: [7], large: [65, 70] };
      const options = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1, momentum: 0.5, loraplusRatio: 1 };
      const run = (keep?: StateAllocator) => {
        const parameters = new Map(
          Object.entries(shapes).map(([key, shape]) => [
            key,
            { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, at) => Math.sin(at)) },
          ]),
        );
        const optimizer = createOptimizer(OPTIMIZERS[name], parameters, options, keep);
        for (let step = 1; step <= 3; step++)
          optimizer.update(
            new Map(
              [...parameters].map(([key, { data }]) => [key, data.map((_, at) => Math.cos(at * step))]),
            ),
            step,
            0.01,
            1,
          );
        const state = [...optimizer.state].map(([key, slot]) => [key, slot.read()] as const);
        return { parameters, state };
      };
      const all = Object.values(shapes).map((shape) => OPTIMIZERS[name].slots(shape, 'w'));
      for (const fraction of [1, 0.5, 0.001]) {
        file.length = 0;
        expect(run(offloading({ pages, fraction }, all))).to.deep.equal(run());
        // what is in the file, of the two, is not in memory; the largest in it has its place there
        const sizes = all.map(workspaceBytes);
        const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
        expect(file.length).to.be.at.least(fraction * total - 4);
        const largest = file.length === total ? Math.max(...sizes) : file.length;
        expect(residentBytes(all, fraction)).to.equal(total - file.length + largest);
      }
      expect(residentBytes(all, 0)).to.equal(all.reduce((sum, slots) => sum + workspaceBytes(slots), 0));
    });

  for (const [name, plain] of [
    [
      'adamw',
      (input: RuleInput) => {
        const { m, v } = input.slots as Readonly<Record<string, Float32Array>>;
        if (m !== undefined && v !== undefined) adamStep(input, m, v, 0, m.length);
      },
    ],
    ['adamw8bit', adam8bitStep],
  ] as const)
    it(`${name}: the kernel equals plain loops bit for bit`, () => {
      // windows, blocks and groups of four that are whole, and those that are not
      for (const count of name === 'adamw' ? [1, 3, 4, 257, 40_001] : [4096, 4099, 16_384, 40_001]) {
        const run = (update: (input: RuleInput) => void) => {
          const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i) / 8);
          const slots = Object.fromEntries(
            Object.entries(OPTIMIZERS[name].slots([count], 'w')).map(([slot, { type, length, fill = 0 }]) => [
              slot,
              type === 'u8' ? new Uint8Array(length).fill(fill) : new Float32Array(length).fill(fill),
            ]),
          );
          for (let step = 1; step <= 4; step++) {
            // from zeros in whole blocks to magnitudes far apart
            const gradient = Float32Array.from({ length: count }, (_, i) =>
              i % 1024 < 300 ? 0 : Math.cos(i * step) * 10 ** ((i % 13) - 9),
            );
            update({
              ...{ parameter: { shape: [count], data }, gradient, slots, step, rate: 1e-2, decay: 0.1 },
              options: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1, momentum: 0, loraplusRatio: 1 },
              gradientScale: step === 2 ? 0.37 : 1,
            });
          }
          return { data, slots };
        };
        expect(
          run((input) => OPTIMIZERS[name].update(input)),
          `${count} elements`,
        ).to.deep.equal(run(plain));
      }
    });

  it('have bitsandbytes’ codes of 8 bits', () => {
    const big = fixtureJson<Case[]>('optimizers.json').find(({ state }) => state['qmap1'] !== undefined);
    expect(worst(dynamicMap(true), big?.state['qmap1'] ?? [])).to.be.below(1e-7);
    expect(worst(dynamicMap(false), big?.state['qmap2'] ?? [])).to.be.below(1e-7);
  });

  it('apply the scale of the gradients as if they had been scaled before', () => {
    for (const rule of Object.values(OPTIMIZERS)) {
      const run = (gradient: number, scale: number): number => {
        const data = Float32Array.from([1]);
        const options = {
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-2,
          decay: 0.1,
          momentum: 0.5,
          loraplusRatio: 1,
        };
        createOptimizer(rule, new Map([['w', { shape: [1], data }]]), options).update(
          new Map([['w', Float32Array.from([gradient])]]),
          1,
          0.1,
          scale,
        );
        return data[0] as number;
      };
      expect(run(0.5, 0.25)).to.equal(run(0.125, 1));
    }
  });

  it('move the second factor of an adapter and its vectors faster, as LoRA+ does', () => {
    const options = { beta1: 0, beta2: 0, epsilon: 0, decay: 0, momentum: 0, loraplusRatio: 16 };
    const parameters = new Map(
      Object.entries({
        'q_proj.lora_A.weight': [1, 1],
        'q_proj.lora_B.weight': [1, 1],
        'q_proj.lora_magnitude_vector': [1],
      }).map(([name, shape]) => [name, { shape, data: new Float32Array(1) }]),
    );
    const gradients = new Map([...parameters.keys()].map((name) => [name, Float32Array.of(1)]));
    createOptimizer(OPTIMIZERS.sgd, parameters, options).update(gradients, 1, 0.5, 1);
    expect([...parameters.values()].map(({ data }) => data[0])).to.deep.equal([-0.5, -8, -8]);
  });

  it('remembers embeddings in float32, as Trainer has bitsandbytes do', () => {
    const types = (name: string) =>
      Object.values(OPTIMIZERS.adamw8bit.slots([64, 64], name)).map(({ type }) => type);
    for (const name of ['model.embed_tokens', 'transformer.wte', 'transformer.wpe', 'gpt_neox.embed_in'])
      expect(types(`${name}.weight`)).to.deep.equal(['f32', 'f32']);
    for (const name of ['lm_head.weight', 'model.layers.0.mlp.up_proj.weight'])
      expect(types(name)).to.include('u8');
  });

  it('decays matrices and adapters, and no norm or bias', () => {
    const names = [
      'model.embed_tokens.weight',
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.0.self_attn.q_proj.lora_A.weight',
      'model.layers.0.input_layernorm.weight',
      'model.layers.0.post_attention_layernorm.weight',
      'model.layers.0.self_attn.q_norm.weight',
      'model.norm.weight',
      'model.layers.0.self_attn.q_proj.bias',
      ...['transformer.h.0.ln_1.weight', 'transformer.h.0.ln_2.weight', 'transformer.ln_f.weight'],
    ];
    expect(names.filter(decays)).to.deep.equal(names.slice(0, 3));
  });
});

describe('clipping', () => {
  it('measures the norm over all tensors', () => {
    const gradients = new Map([
      ['a', Float32Array.from([3, 0])],
      ['b', Float32Array.from([0, 4])],
    ]);
    expect(globalNorm(gradients)).to.equal(5);
  });

  it('does not saturate where float32 would', () => {
    expect(globalNorm(new Map([['a', new Float32Array(2 ** 25).fill(1)]]))).to.equal(Math.sqrt(2 ** 25));
  });

  it('shrinks what is above the limit and leaves the rest', () => {
    expect(clipFactor(0.5, 1)).to.equal(1);
    expect(clipFactor(4, 1)).to.equal(1 / (4 + 1e-6));
    expect(clipFactor(0, 1)).to.equal(1);
    expect(clipFactor(4e9, undefined)).to.equal(1);
  });
});

describe('rules of optimisers', () => {
  it('work in as much as the largest update takes, where that is made as a whole', () => {
    const scratch = Object.entries<Rule>(OPTIMIZERS).flatMap(([name, rule]) =>
      rule.scratch === undefined ? [] : [[name, rule.scratch([3, 4])]],
    );
    expect(scratch).to.deep.equal([['adafactor', 48]]);
  });
});

/** The memory plan against the resident memory of a process that runs it, and its arithmetic against the formula. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { BottleneckConfig } from '../../../../src/compute/models/adapters/config.js';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { verify } from '../../../../src/compute/tensor/verify.js';

const config = {
  architecture: 'llama',
  vocabSize: 8192,
  hiddenSize: 384,
  intermediateSize: 1024,
  layers: 4,
  heads: 6,
  keyValueHeads: 2,
  headDim: 64,
  maxPositions: 1024,
  ropeTheta: 10000,
  normEpsilon: 1e-5,
  tieEmbeddings: true,
  bosTokenId: 1,
  eosTokenIds: [2],
  padTokenId: 0,
} as const;
const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const base: DecoderPlanOptions = {
  config,
  adapter: { kind: 'lora', rank: 8, alpha: 16, dropout: 0, targets },
  trainable: 'adapter',
  weightBytes: 0,
  dequantised: false,
  rows: 4,
  length: 192,
  checkpointedBlocks: 0,
  logitsChunk: 512,
};

const bottlenecks = (dropout: number): BottleneckConfig => ({
  ...{ kind: 'bottleneck', reduction: 8, places: ['attention', 'mlp'], activation: 'gelu' },
  ...{ reads: 'output', scale: 1, dropout },
});

const total = (parts: Readonly<Record<string, number>>) =>
  Object.values(parts).reduce((sum, part) => sum + part, 0);

describe('decoder plan', () => {
  const cases: Readonly<Record<string, DecoderPlanOptions>> = {
    'an adapter with kept blocks': base,
    'an adapter with recomputed blocks, decoded weights and dropout': {
      ...base,
      adapter: { kind: 'lora', rank: 8, alpha: 16, dropout: 0.1, targets },
      checkpointedBlocks: 2,
      dequantised: true,
      logitsChunk: 128,
    },
    'an adapter, the vocabulary in shards': { ...base, vocabularyShard: 2048 },
    'an adapter with recomputed blocks, the vocabulary in dequantised shards': {
      ...base,
      checkpointedBlocks: 4,
      dequantised: true,
      vocabularyShard: 1024,
    },
    'a prefix': { ...base, rows: 8, adapter: { kind: 'prefix', tokens: 256 }, checkpointedBlocks: 1 },
    'a prefix from a projection': {
      ...base,
      rows: 8,
      adapter: { kind: 'prefix', tokens: 256, projection: 512 },
    },
    'bottleneck adapters with kept blocks': { ...base, adapter: bottlenecks(0) },
    'bottleneck adapters with recomputed blocks and dropout': {
      ...base,
      adapter: bottlenecks(0.1),
      checkpointedBlocks: 2,
    },
    'an adapter with recomputed MLPs and dropout': {
      ...base,
      adapter: { kind: 'lora', rank: 8, alpha: 16, dropout: 0.1, targets },
      recomputedMlps: 2,
    },
    'an adapter with recomputed attention probabilities and dropout': {
      ...base,
      adapter: { kind: 'lora', rank: 8, alpha: 16, dropout: 0.1, targets },
      recomputedAttention: 2,
    },
    'a classification head alone': { ...base, adapter: { kind: 'head', labels: ['a', 'b', 'c'] }, rows: 16 },
    'an adapter and a classification head': {
      ...base,
      adapter: { kind: 'lora', rank: 8, alpha: 16, dropout: 0, targets, labels: ['a', 'b', 'c'] },
      checkpointedBlocks: 1,
    },
    'full training of a classifier': {
      ...base,
      config: { ...config, labels: ['a', 'b', 'c'] },
      adapter: undefined,
      trainable: 'full',
      rows: 2,
    },
    'full training': { ...base, adapter: undefined, trainable: 'full', rows: 2 },
  };
  for (const [title, options] of Object.entries(cases))
    it(`predicts the memory of ${title}`, function () {
      // resident memory can be read and reset on Linux only; the process has the limits of a stage's
      if (process.platform !== 'linux') this.skip();
      const script = fileURLToPath(new URL('./measure.js', import.meta.url));
      const measured = Number(
        execFileSync(
          process.execPath,
          ['--expose-gc', '--max-semi-space-size=4', script, JSON.stringify(options)],
          {
            encoding: 'utf8',
          },
        ),
      );
      const { parts } = planDecoder(options);
      // weights and adapter lie in memory before the measurement begins
      const resident = parts.adapter + (options.trainable === 'full' ? 0 : parts.weights);
      const predicted = total(parts) - resident;
      expect(predicted / measured, `predicted ${predicted}, measured ${measured}`).to.be.within(0.97, 1.1);
    });

  it('runs well-formed graphs', () => {
    for (const options of Object.values(cases))
      for (const { graph } of planDecoder(options).graphs) verify(graph);
  });

  it('keeps less and computes more with every checkpointed block', () => {
    const plans = [0, 1, 2, 3, 4].map((checkpointedBlocks) => planDecoder({ ...base, checkpointedBlocks }));
    plans.slice(1).forEach((plan, index) => {
      expect(plan.parts.activations).to.be.below(plans[index]?.parts.activations ?? 0);
      expect(plan.flops).to.be.above(plans[index]?.flops ?? 0);
    });
  });

  it('keeps less and computes more with every softmax that is recomputed', () => {
    const plans = [0, 1, 2, 3, 4].map((recomputedAttention) => planDecoder({ ...base, recomputedAttention }));
    plans.slice(1).forEach((plan, index) => {
      expect(plan.parts.activations).to.be.below(plans[index]?.parts.activations ?? 0);
      expect(plan.flops).to.be.above(plans[index]?.flops ?? 0);
    });
  });

  it('keeps less with every MLP that is recomputed, in long rows for less than with its whole block', () => {
    const long = { ...base, rows: 1, length: 2048 };
    const plans = [0, 1, 2, 3, 4].map((recomputedMlps) => planDecoder({ ...long, recomputedMlps }));
    plans.slice(1).forEach((plan, index) => {
      expect(plan.parts.activations).to.be.below(plans[index]?.parts.activations ?? 0);
      expect(plan.flops).to.be.above(plans[index]?.flops ?? 0);
    });
    const whole = planDecoder({ ...long, checkpointedBlocks: 4 });
    const [none, mlps] = [plans[0], plans[4]];
    if (none === undefined || mlps === undefined) return expect.fail('no plans');
    const saved = (plan: typeof whole) => none.parts.activations - plan.parts.activations;
    const cost = (plan: typeof whole) => plan.flops - none.flops;
    expect(saved(mlps) / cost(mlps)).to.be.above(1.2 * (saved(whole) / cost(whole)));
  });

  it('holds less of a large vocabulary in shards, and takes every logit of a training twice', () => {
    const large = { ...base, config: { ...config, vocabSize: 65_536 }, dequantised: true, logitsChunk: 256 };
    const shards = { ...large, vocabularyShard: 8192 };
    const [whole, part] = [planDecoder(large), planDecoder(shards)];
    const held = ({ parts }: typeof whole) => parts.workspace + parts.logits;
    const [matrix, logits] = [4 * 384 * 65_536, 4 * 256 * 65_536];
    expect((held(whole) - held(part)) / (matrix + logits)).to.be.within(0.8, 1.6);
    const products = 2 * 4 * 192 * 384 * 65_536;
    expect((part.flops - whole.flops) / products).to.be.within(0.8, 1.4);
    const forward = (options: DecoderPlanOptions) => planDecoder({ ...options, trainable: 'none' }).flops;
    expect(forward(shards) / forward(large)).to.be.within(0.95, 1.05);
  });

  it('counts 4 operations a frozen weight and token, and 6 a trained one', () => {
    const weights = 4 * (2 * 384 * 384 + 2 * 128 * 384 + 3 * 384 * 1024);
    const tokens = base.rows * base.length;
    const head = 8192 * 384;
    const frozen = planDecoder({
      ...base,
      adapter: { kind: 'lora', rank: 1, alpha: 1, dropout: 0, targets },
    }).flops;
    // nothing of the base is computed twice: what the adapters read is kept
    const beside = planDecoder({ ...base, adapter: bottlenecks(0) }).flops;
    const full = planDecoder({ ...base, adapter: undefined, trainable: 'full' }).flops;
    // attention, element-wise work and the second half-filled chunk of the head come on top
    expect(frozen / (4 * tokens * (weights + head))).to.be.within(1, 1.35);
    const trained = 4 * 2 * (2 * 384 * 48);
    expect(beside / (tokens * (4 * (weights + head) + 6 * trained))).to.be.within(1, 1.2);
    expect(full / (6 * tokens * (weights + head))).to.be.within(1, 1.35);
  });
});

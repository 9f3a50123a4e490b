/** The memory plan against the buffers that a training step allocates, and its arithmetic against the formula. */
import { expect } from 'chai';
import { base, bottlenecks, lora, MEMORY_CASES, type MemoryCase } from '../../../../bench/memory/cases.js';
import { trainingSteps } from '../../../../bench/memory/step.js';
import { prefixTokens } from '../../../../src/compute/models/adapters/prefix.js';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import { prefixFloats } from '../../../../src/compute/models/decoder/prefix.js';
import type { DecoderPlan, DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { transientBytes } from '../../../../src/compute/tensor/liveness.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { verify } from '../../../../src/compute/tensor/verify.js';

const { config } = base;

/**
 * Bytes of buffers that outlive a graph's run: what is planned but for frozen and trained values, what one graph has of
 * intermediates, the driver's own, and the prefixes, which the host keeps.
 */
function plannedBuffers(
  { config, adapter }: DecoderPlanOptions,
  { parts, graphs, driverBytes }: DecoderPlan,
): number {
  const { activations, logits, workspace } = parts;
  const intermediates = Math.max(...graphs.map(({ graph }) => transientBytes(graph)));
  const prefix = 4 * prefixFloats(config, prefixTokens(adapter), true);
  return activations + logits + workspace - intermediates - driverBytes - prefix;
}

describe('decoder plan', () => {
  const cases: readonly MemoryCase[] = MEMORY_CASES.filter(({ runtime }) => runtime === 'onnx').map(
    (one) => ({
      ...one,
      // a dequantised block lies outside the buffers that are counted
      options: { ...one.options, dequantised: {}, length: 32 },
    }),
  );
  for (const one of cases)
    it(`counts the buffers of ${one.title}`, async () => {
      const runtime = await onnxRuntime();
      await trainingSteps(one)(runtime);
      const { peak } = runtime.memory.account;
      const planned = plannedBuffers(one.options, planDecoder(one.options));
      // counts of tokens and a loss more
      expect(peak / planned, `predicted ${planned}, allocated ${peak}`).to.be.within(0.998, 1);
    });

  it('runs well-formed graphs', () => {
    for (const { options } of MEMORY_CASES)
      for (const { graph } of planDecoder(options).graphs) verify(graph);
  });

  it('is the same for a model that was planned before: its blocks are measured once', () => {
    for (const { options } of MEMORY_CASES.filter((_, index) => index % 4 === 0))
      for (const checkpointedBlocks of [3, 1]) {
        const one = { ...options, length: 32, checkpointedBlocks };
        // what is known of a model is kept with its config
        const { graphs: _, ...fresh } = planDecoder({ ...one, config: { ...one.config } });
        expect(planDecoder(one)).to.deep.include(fresh);
      }
  });

  it('has logits of as many tokens as they are wanted of, and losses of 16 or more', () => {
    const asked = { ...base, adapter: undefined, trainable: 'none', supervised: 3 } as const;
    const headOf = (wanted: 'loss' | 'logits', vocabularyShard?: number) => {
      const { graphs, parts } = planDecoder({ ...asked, wanted, vocabularyShard });
      const head = graphs.find(({ role }) => role === 'head')?.graph;
      const x = head?.inputs.find(({ name }) => name === 'x')?.value;
      return { rows: x === undefined ? undefined : head?.types[x]?.shape[0], logits: parts.logits };
    };
    expect([headOf('loss').rows, headOf('loss', 64).rows]).to.deep.equal([16, 16]);
    expect([headOf('logits').rows, headOf('logits', 64).rows]).to.deep.equal([4, 4]);
    const width = (vocabulary: number) => 4 * 4 * (vocabulary + config.hiddenSize);
    expect(headOf('logits').logits).to.equal(width(config.vocabSize));
    expect(headOf('logits', 64).logits).to.equal(width(64));
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

  it('dequantises into a workspace as long as a block or the head, or within graphs, a matrix at a time', () => {
    const workspace = (dequantised: DecoderPlanOptions['dequantised']) =>
      planDecoder({ ...base, dequantised }).parts.workspace - planDecoder(base).parts.workspace;
    const [blocks, head] = [workspace({ blocks: true }), workspace({ head: true })];
    expect(workspace({ blocks: true, head: true })).to.equal(Math.max(blocks, head));
    const within = workspace({ blocks: true, inGraph: 4 });
    expect(within)
      .to.be.above(0)
      .and.below(blocks / 2);
    expect(workspace({ blocks: true, inGraph: 5 })).to.equal((5 / 4) * within);
    // the runtime keeps both
    expect(workspace({ blocks: true, head: true, inGraph: 4 })).to.be.closeTo(within + head, 1e5);
    // a block that is computed again reads each of its matrices twice
    const again = { ...base, checkpointedBlocks: 4 };
    const more = planDecoder({ ...again, dequantised: { blocks: true, inGraph: 4 } }).parts.workspace;
    expect(more - planDecoder(again).parts.workspace).to.be.above(1.5 * within);
  });

  it('holds less of a large vocabulary in shards, and takes every logit of a training twice', () => {
    const large = {
      ...base,
      config: { ...config, vocabSize: 65_536 },
      dequantised: { blocks: true, head: true },
      logitsChunk: 256,
    };
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
      adapter: { ...lora, rank: 1 },
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

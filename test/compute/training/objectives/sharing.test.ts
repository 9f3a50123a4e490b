/** Prompts that are computed once for both answers: what is learned is what separate rows give, in every family of models. */
import { expect } from 'chai';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { DecoderOptions } from '../../../../src/compute/models/decoder/types.js';
import type { ModelConfig } from '../../../../src/compute/models/types.js';
import type { TokenRow } from '../../../../src/compute/training/batch.js';
import { preferenceLoss } from '../../../../src/compute/training/objectives/batch-loss.js';
import { joinedAnswers, joinedLength } from '../../../../src/compute/training/objectives/joined.js';
import type { PreferenceRows } from '../../../../src/compute/training/objectives/rows.js';
import { type CountedRows, sharesPrompts } from '../../../../src/compute/training/objectives/sharing.js';
import type { PreferenceObjective } from '../../../../src/compute/training/objectives/types.js';
import { FIXTURES, fixture, relativeError } from '../../models/decoder/fixture.js';
import { openHere } from '../../tensor/runtimes/here.js';

const DPO: PreferenceObjective = { kind: 'dpo', beta: 0.3, loss: 'sigmoid', labelSmoothing: 0, sft: 0.5 };

interface Lengths {
  readonly prompt: number;
  readonly chosen: number;
  readonly rejected: number;
}

function pairOf(vocabulary: number, { prompt, chosen, rejected }: Lengths, row = 0) {
  const text = (side: number, answer: number): TokenRow => {
    const ids = Int32Array.from({ length: prompt + answer }, (_, at) => {
      const seed = at < prompt ? at : at + 41 * (side + 1);
      return 3 + ((seed * 7919 + row * 131) % (vocabulary - 3));
    });
    return { ids, labels: ids.slice().fill(-100, 0, prompt) };
  };
  return { chosen: text(0, chosen), rejected: text(1, rejected) };
}

function rowsOf(vocabulary: number, all: readonly Lengths[], shares: boolean): PreferenceRows {
  const lengthOf = (row: number): number => {
    const { prompt = 0, chosen = 0, rejected = 0 } = all[row] ?? {};
    return prompt + Math.max(chosen, rejected);
  };
  return {
    count: all.length,
    limit: 1024,
    sharesPrompts: shares,
    lengthOf,
    tokensOf: lengthOf,
    read: (row) => pairOf(vocabulary, all[row] ?? { prompt: 1, chosen: 1, rejected: 1 }, row),
  };
}

/** Loss, rewards and gradients of all pairs. */
async function learned(
  options: Omit<DecoderOptions, 'runtime'>,
  rows: PreferenceRows,
  objective: PreferenceObjective = DPO,
) {
  const decoder = await createDecoder({ ...options, runtime: await openHere('onnx') });
  decoder.zeroGradients();
  const references = { of: (row: number, side: number) => -40 - 3 * row + side, mismatched: () => [] };
  const { loss, preference } = await preferenceLoss(
    { decoder, source: rows, objective, references, microBatch: 2, padId: 0, pause: async () => {} },
    Uint32Array.from({ length: rows.count }, (_, row) => row),
    { seed: 1, step: 1 },
  );
  const gradients = new Map([...decoder.gradients].map(([name, data]) => [name, Float32Array.from(data)]));
  await decoder.release();
  return { loss, preference, gradients };
}

/** Both ways; `limit`: of a gradient's error by its largest value. */
async function agree(
  options: Omit<DecoderOptions, 'runtime'>,
  all: readonly Lengths[],
  limit = 2e-5,
): Promise<void> {
  const { vocabSize } = options.config;
  const [apart, shared] = [
    await learned(options, rowsOf(vocabSize, all, false)),
    await learned(options, rowsOf(vocabSize, all, true)),
  ];
  expect(shared.loss / apart.loss).to.be.closeTo(1, 1e-5);
  expect(shared.preference.chosen).to.be.closeTo(apart.preference.chosen ?? 9, 1e-4);
  expect(shared.preference.rejected).to.be.closeTo(apart.preference.rejected ?? 9, 1e-4);
  for (const [name, data] of apart.gradients) {
    const most = Math.max(...data.map(Math.abs));
    if (most > 1e-7) expect(relativeError(shared.gradients.get(name) ?? [], data), name).to.be.below(limit);
  }
}

/** A family's recorded model, with windows that no row here fills. */
function optionsOf(name: string, more: Partial<ModelConfig> = {}) {
  const { recording, weights } = fixture(name);
  const { config } = recording;
  return {
    config: { ...config, ...(config.window !== undefined && { window: 512 }), ...more },
    weights,
    trainable: 'full' as const,
    checkpointedBlocks: 1,
    logitsChunk: 64,
  };
}

/** Adapters of other kinds are the business of linear layers; texts of `phi3-long` are all long ones. */
const FAMILIES = FIXTURES.filter((name) => !/lora|dora|pissa|patterns|saved|phi3-long|longrope/.test(name));
/** Rotary embeddings, windows and norms of heads, learned positions, heads that are turned in part. */
const ALWAYS: ReadonlySet<string> = new Set(['untied', 'gemma3', 'gpt2', 'neox']);

/** Prompts of one token, of which nothing is shared, and of many. */
const SHORT: readonly Lengths[] = [
  { prompt: 30, chosen: 7, rejected: 21 },
  { prompt: 1, chosen: 9, rejected: 4 },
  { prompt: 12, chosen: 20, rejected: 1 },
];

describe('prompts that are computed once', function () {
  this.timeout(120_000);

  for (const name of FAMILIES)
    it(`give what separate rows give, ${name}${ALWAYS.has(name) ? '' : ' @long'}`, () =>
      agree(optionsOf(name), SHORT));

  it('do so in rows of several blocks of queries', () =>
    agree(optionsOf('untied', { maxPositions: 512 }), [
      { prompt: 170, chosen: 90, rejected: 140 },
      { prompt: 120, chosen: 30, rejected: 10 },
    ]));

  it('do so after a prefix', async () => {
    const { config, weights, ...more } = optionsOf('untied');
    const adapter = initAdapter(config, { kind: 'prefix', tokens: 5 }, { seed: 3, weights });
    await agree({ ...more, config, weights, adapter, trainable: 'adapter' }, SHORT);
  });

  it('leave the answers apart, to the last bit', async () => {
    const { config, weights } = optionsOf('untied');
    const decoder = await createDecoder({
      ...optionsOf('untied'),
      ...{ weights, trainable: 'none', runtime: await openHere('onnx') },
    });
    const { vocabSize } = config;
    const lengths = { prompt: 10, chosen: 8, rejected: 9 };
    const { chosen, rejected } = pairOf(vocabSize, lengths);
    const { batch } = joinedAnswers([[chosen, rejected]], 0);
    const [first, second] = [chosen.ids.length, joinedLength([chosen, rejected])];
    const changed = batch.ids.map((id, at) => (at >= lengths.prompt && at < first ? 3 + (id % 7) : id));
    const [before, after] = [
      await decoder.logits(batch),
      await decoder.logits({ ...batch, ids: changed }),
    ].map((logits) => ({
      first: [...logits.subarray(lengths.prompt * vocabSize, first * vocabSize)],
      second: [...logits.subarray(first * vocabSize, second * vocabSize)],
    }));
    expect(after?.first).not.to.deep.equal(before?.first);
    expect(after?.second).to.deep.equal(before?.second);
    await decoder.release();
  });

  it('take fewer tokens: the prompt of both answers, but for its last one', () => {
    const pair = pairOf(64, { prompt: 100, chosen: 20, rejected: 30 });
    expect(joinedLength([pair.chosen, pair.rejected])).to.equal(99 + 21 + 31);
    // what is asked for is never shared, also where both answers begin alike
    const { chosen } = pair;
    const longer = { ids: Int32Array.of(...chosen.ids, 5), labels: Int32Array.of(...chosen.labels, 5) };
    expect(joinedLength([chosen, longer])).to.equal(99 + 21 + 22);
  });
});

describe('whether prompts are computed once', () => {
  const counted = (length: number, rows: number): CountedRows => {
    const histogram = new Array<number>(Math.ceil(length / 16)).fill(0);
    histogram[histogram.length - 1] = rows;
    return { longest: length, histogram };
  };
  const texts = (prompt: number, answer: number) => ({
    ...counted(prompt + answer, 2),
    joined: counted(prompt + 2 * answer + 1, 1),
  });
  const lora = { kind: 'lora', rank: 4, alpha: 8, dropout: 0, targets: ['q_proj'] } as const;
  const { config } = fixture('untied').recording;
  const wide = {
    ...config,
    hiddenSize: 576,
    intermediateSize: 1536,
    heads: 9,
    keyValueHeads: 3,
    headDim: 64,
  };

  it('follows from how much of the texts is the prompt', () => {
    const shared = (prompt: number, answer: number) => sharesPrompts(wide, lora, texts(prompt, answer));
    expect([shared(384, 128), shared(896, 128), shared(96, 32)]).to.deep.equal([true, true, true]);
    expect([shared(32, 480), shared(128, 896), shared(0, 256)]).to.deep.equal([false, false, false]);
  });

  it('is no where nobody has counted', () => {
    expect(sharesPrompts(wide, lora, counted(512, 2))).to.equal(false);
  });

  it('is no where a window slides over the rows, and not where it holds them', () => {
    const pair = texts(384, 128);
    for (const name of ['gemma2', 'gemma3', 'mistral', 'phi3', 'qwen2-window']) {
      const { config: slides } = fixture(name).recording;
      const at = (window: number) => sharesPrompts({ ...slides, window }, lora, pair);
      expect([at(640), at(641), at(4096)], name).to.deep.equal([false, true, true]);
    }
    const prefix = { kind: 'prefix', tokens: 5 } as const;
    const { config: slides } = fixture('mistral').recording;
    const prefixed = (window: number) => sharesPrompts({ ...slides, window }, prefix, pair);
    expect([prefixed(645), prefixed(646)]).to.deep.equal([false, true]);
  });

  it('is no with dropout, which each text draws for itself', () => {
    const shared = (dropout: number) => sharesPrompts(wide, { ...lora, dropout }, texts(384, 128));
    expect([shared(0), shared(0.1)]).to.deep.equal([true, false]);
  });

  it('is no where long texts are turned by other angles, and where a prompt is trained', () => {
    const { config: turns } = fixture('phi3-long').recording;
    expect(sharesPrompts(turns, lora, texts(384, 128))).to.equal(false);
    expect(sharesPrompts(wide, { kind: 'prompt', tokens: 4 }, texts(384, 128))).to.equal(false);
  });
});

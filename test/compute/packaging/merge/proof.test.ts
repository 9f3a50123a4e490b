/** What the proof of a merge accepts and what it finds, with logits of models. */
import { join } from 'node:path';
import { expect } from 'chai';
import { evaluationDecoder } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../../src/compute/evaluation/language-model.js';
import type { ModelFolder } from '../../../../src/compute/models/load.js';
import { openModelAt } from '../../../../src/compute/models/open.js';
import type { Adapter, WeightStore } from '../../../../src/compute/models/types.js';
import { float32Tensor, weightStore } from '../../../../src/compute/models/weights/stored-tensor.js';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { type ProbeLogits, probeLogits, proveMerge } from '../../../../src/compute/packaging/merge/proof.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { tiny } from '../../evaluation/tiny.js';
import { ofKind } from '../../models/adapters/of-kind.js';

const host = nodeHost();

async function logitsOf(
  { config }: ModelFolder,
  weights: WeightStore,
  probes: readonly Int32Array[],
  adapter?: Adapter,
): Promise<ProbeLogits> {
  const runtime = await onnxRuntime({ threads: 1 });
  const decoder = await evaluationDecoder({ runtime, config, weights, ...(adapter && { adapter }) });
  try {
    return await probeLogits(decoderModel(decoder), probes);
  } finally {
    await decoder.release();
  }
}

/** The weights in float32, some of them changed, or taken from tensors of other names. */
function changed(
  base: WeightStore,
  {
    from = (name) => name,
    edit,
  }: Partial<Record<'from', (name: string) => string>> & {
    readonly edit?: (values: Float32Array, name: string, rows: number) => void;
  },
): WeightStore {
  return weightStore(
    'test',
    base.names().map((name) => {
      const stored = base.get(from(name));
      const values = new Float32Array(stored.shape.reduce((product, size) => product * size, 1));
      stored.dequantise(values);
      edit?.(values, name, stored.shape[0] ?? 1);
      return float32Tensor(name, stored.shape, values);
    }),
  );
}

const codes = (input: Omit<Parameters<typeof proveMerge>[0], 'stored'>): readonly string[] =>
  (['f16', 'q8_0'] as const).map((dtype) => {
    try {
      proveMerge({ ...input, stored: { format: 'gguf', dtype } });
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic.code;
      throw error;
    }
    return 'none';
  });

describe('the proof of a merge, asked about mistakes', () => {
  const starter = openModelAt(host, join(host.packageFolder, 'stdlib', 'models', 'starter'));
  const weights = starter.loadWeights('f32');
  let probes: readonly Int32Array[];
  let base: ProbeLogits;
  before(async () => {
    const tokenizer = await starter.tokenizer();
    probes = ['Permission is hereby granted, free of charge,', 'Q: What is the capital of France?\nA:'].map(
      (text) => tokenizer.encode(text).slice(0, 32),
    );
    base = await logitsOf(starter, weights, probes);
  });

  const exchanged = (name: string): string =>
    name.replace(/layers\.[01]\./, (layer) => (layer === 'layers.0.' ? 'layers.1.' : 'layers.0.'));
  const mistakes: Readonly<Record<string, Parameters<typeof changed>[1]>> = {
    'one matrix of zeros': {
      edit: (values, name) => {
        if (name.endsWith('layers.3.self_attn.v_proj.weight')) values.fill(0);
      },
    },
    'two layers exchanged': { from: exchanged },
    'embeddings of the next token': {
      edit: (values, name, rows) => {
        if (name.includes('embed_tokens')) values.copyWithin(0, values.length / rows);
      },
    },
  };
  for (const [mistake, change] of Object.entries(mistakes))
    it(`finds ${mistake}, in 16 and in 8 bits`, async () => {
      const merged = await logitsOf(starter, changed(weights, change), probes);
      const found = codes({ base, adapted: base, merged, probes, hasAdapter: false });
      expect(found).to.deep.equal(['FTP0723', 'FTP0723']);
    });

  it('finds an adapter that was added twice', async () => {
    const model = openModelAt(host, join(tiny, 'base'));
    const adapter = ofKind('lora', readAdapter(host, join(tiny, 'adapter')));
    const twice = { ...adapter, config: { ...adapter.config, alpha: 2 * adapter.config.alpha } };
    const ids = [Int32Array.from({ length: 24 }, (_, at) => (7 * at + 1) % model.config.vocabSize)];
    const store = model.loadWeights('f32');
    const [plain, adapted, merged] = [
      await logitsOf(model, store, ids),
      await logitsOf(model, store, ids, adapter),
      await logitsOf(model, store, ids, twice),
    ];
    const asked = { base: plain, adapted, probes: ids, hasAdapter: true };
    expect(codes({ ...asked, merged: adapted })).to.deep.equal(['none', 'none']);
    expect(codes({ ...asked, merged })).to.deep.equal(['FTP0723', 'FTP0723']);
  });

  it('leaves out what moves all logits of a token alike, but not of a classifier', () => {
    const [adapted, merged] = [[Float32Array.of(1, 2, 3)], [Float32Array.of(2, 3, 4)]];
    const asked = { base: adapted, adapted, merged, probes: [Int32Array.of(0)], hasAdapter: false };
    expect(codes(asked)).to.deep.equal(['none', 'none']);
    expect(codes({ ...asked, labels: ['a', 'b', 'c'] })).to.deep.equal(['FTP0723', 'FTP0723']);
  });
});

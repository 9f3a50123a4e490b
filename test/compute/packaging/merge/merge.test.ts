import { join } from 'node:path';
import { expect } from 'chai';
import { openModel } from '../../../../src/compute/models/load.js';
import { openTensorSource } from '../../../../src/compute/models/safetensors/read.js';
import type { Adapter, StoredTensor } from '../../../../src/compute/models/types.js';
import { float32Tensor, weightStore } from '../../../../src/compute/models/weights/stored-tensor.js';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { knownMerge } from '../../../../src/compute/packaging/merge/plan.js';
import { proveMerge } from '../../../../src/compute/packaging/merge/proof.js';
import { mergedTensors } from '../../../../src/compute/packaging/merge/tensors.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { tiny } from '../../evaluation/tiny.js';
import { ofKind } from '../../models/adapters/of-kind.js';

const host = nodeHost();
const bytes = (chunks: Iterable<Uint8Array>): Buffer => Buffer.concat([...chunks]);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return `${error.diagnostic.code} ${error.diagnostic.message}`;
    throw error;
  }
  return 'none';
}

describe('merging', () => {
  const model = openModel(host, join(tiny, 'base'));
  const { config } = model;
  const base = model.loadWeights('stored');
  const adapter = ofKind('lora', readAdapter(host, join(tiny, 'adapter')));

  it('gives PEFT’s merge_and_unload, every tensor (1e-6 absolute, weights up to about 1)', () => {
    const merged = mergedTensors(base, { dtype: 'f32', plan: knownMerge(adapter, config, base) });
    const peft = openTensorSource(host, join(tiny, 'merged'));
    let changed = 0;
    for (const tensor of merged) {
      const ours = bytes(tensor.chunks());
      const values = new Float32Array(ours.buffer, ours.byteOffset, ours.byteLength / 4);
      const located = peft.get(tensor.name);
      if (located === undefined) throw new Error(`PEFT has no ${tensor.name}`);
      const raw = located.file.read(located.entry);
      const theirs = new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
      const before = new Float32Array(values.length);
      base.get(tensor.name).dequantise(before);
      let largest = 0;
      for (let i = 0; i < values.length; i++)
        largest = Math.max(largest, Math.abs((values[i] as number) - (theirs[i] as number)));
      expect(largest, tensor.name).to.be.below(1e-6);
      if (before.some((value, i) => value !== values[i])) changed++;
    }
    expect(changed).to.equal(14);
  });

  it('makes the same bytes in pieces of any size', () => {
    const width = 600_000;
    const data = Float32Array.from({ length: 3 * width }, (_, i) => Math.sin(i));
    const store = weightStore('test', [float32Tensor('w.weight', [3, width], data)]);
    const [tensor] = mergedTensors(store, { dtype: 'f32' });
    const chunks = [...(tensor?.chunks() ?? [])];
    expect(chunks.length).to.be.greaterThan(1);
    expect(bytes(chunks).equals(Buffer.from(data.buffer))).to.equal(true);
  });

  it('rounds to the nearest half, ties to even', () => {
    const values = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 65519);
    const store = weightStore('test', [float32Tensor('w', [4], values)]);
    const halves = (dtype: 'f16' | 'bf16'): number[] => {
      const all = bytes(mergedTensors(store, { dtype })[0]?.chunks() ?? []);
      return [0, 2, 4, 6].map((at) => all.readUInt16LE(at));
    };
    expect(halves('f16')).to.deep.equal([0x3c00, 0x3c02, 0x0000, 0x7bff]);
    expect(halves('bf16')).to.deep.equal([0x3f80, 0x3f80, 0x3300, 0x4780]);
  });

  it('refuses what the dtype can’t hold, and names the tensor', () => {
    const merge = (value: number, dtype: 'f16' | 'bf16' | 'f32') => () =>
      mergedTensors(weightStore('test', [float32Tensor('big', [1], Float32Array.of(value))]), { dtype }).map(
        (tensor) => bytes(tensor.chunks()),
      );
    expect(codeOf(merge(65520, 'f16'))).to.match(/^FTP0721 `big` has the value 6\.552e\+4, .* f16$/);
    expect(codeOf(merge(65519, 'f16'))).to.equal('none');
    expect(codeOf(merge(65520, 'bf16'))).to.equal('none');
    expect(codeOf(merge(3.4e38, 'bf16'))).to.match(/^FTP0721/);
    expect(codeOf(merge(Number.NaN, 'f32'))).to.match(/^FTP0722 `big`/);
    expect(codeOf(merge(Number.POSITIVE_INFINITY, 'f32'))).to.match(/^FTP0722/);
  });

  it('holds a few megabytes at a time, however large a tensor is', () => {
    let largest = 0;
    const huge: StoredTensor = {
      name: 'huge',
      shape: [20_000, 500],
      format: 'F32',
      residentBytes: 0,
      view: () => undefined,
      dequantise: () => {
        throw new Error('decoded as a whole');
      },
      dequantiseRows: (_, __, out) => {
        largest = Math.max(largest, out.byteLength);
      },
    };
    const [tensor] = mergedTensors(weightStore('test', [huge]), { dtype: 'bf16' });
    let written = 0;
    for (const chunk of tensor?.chunks() ?? []) written += chunk.byteLength;
    expect(written).to.equal(20_000 * 500 * 2);
    expect(largest).to.be.at.most(4 * 2 ** 20);
  });

  it('refuses an adapter whose matrices do not fit', () => {
    const odd: Adapter = { ...adapter, config: { ...adapter.config, rank: 5 } };
    expect(() =>
      mergedTensors(base, { dtype: 'f32', plan: knownMerge(odd, config, base) }).map((tensor) =>
        bytes(tensor.chunks()),
      ),
    ).to.throw(/the weight needs \[5, 32\]/);
  });
});

describe('the proof of a merge', () => {
  const one = (...values: number[]): readonly Float32Array[] => [Float32Array.from(values)];
  const prove = (base: number, adapted: number, merged: number, hasAdapter = true) =>
    codeOf(() =>
      proveMerge({
        base: one(base, 10),
        adapted: one(adapted, 10),
        merged: one(merged, 10),
        probes: [Int32Array.of(1)],
        stored: { format: 'safetensors', dtype: 'f16' },
        hasAdapter,
      }),
    );

  it('accepts a merge that answers as base and adapter', () => {
    expect(prove(1, 2, 2.01)).to.equal('none');
    expect(prove(1, 1, 1.01, false)).to.equal('none');
  });

  it('fails where answers differ, nothing was merged, rounding swallows the adapter, or a logit is no number', () => {
    expect(prove(1, 2, 2.5)).to.match(/^FTP0723/);
    expect(prove(1, 1, 1)).to.match(/^FTP0724/);
    expect(prove(1, 1.01, 1.03)).to.match(/^FTP0725/);
    expect(prove(1, 2, Number.NaN)).to.match(/^FTP0723/);
  });
});

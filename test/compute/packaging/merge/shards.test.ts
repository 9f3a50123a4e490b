import { expect } from 'chai';
import type { WritableTensor } from '../../../../src/compute/models/safetensors/write.js';
import { weightFiles } from '../../../../src/compute/packaging/merge/shards.js';

/** Of `size` float32 values. */
const tensor = (name: string, size: number, made: string[] = []): WritableTensor => ({
  ...{ name, dtype: 'F32', shape: [size] },
  *chunks() {
    made.push(name);
    yield new Uint8Array(4 * size);
  },
});

describe('the files of a merged model', () => {
  it('are one where all fits', () => {
    const files = [...weightFiles([tensor('a', 10), tensor('b', 10)], 80)];
    expect(files.map(([name]) => name)).to.deep.equal(['model.safetensors']);
  });

  it('are shards of at most the limit, and an index of them', () => {
    const files = [...weightFiles([tensor('b', 10), tensor('c', 10), tensor('a', 1)], 80)];
    expect(files.map(([name]) => name)).to.deep.equal([
      ...['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
      'model.safetensors.index.json',
    ]);
    expect(JSON.parse(String(files.at(-1)?.[1]))).to.deep.equal({
      metadata: { total_size: 84 },
      weight_map: {
        a: 'model-00002-of-00002.safetensors',
        b: 'model-00001-of-00002.safetensors',
        c: 'model-00001-of-00002.safetensors',
      },
    });
  });

  it('give a tensor that is larger than the limit a file of its own', () => {
    const files = [...weightFiles([tensor('a', 1), tensor('b', 100), tensor('c', 1)], 80)];
    expect(files).to.have.length(4);
  });

  it('make a tensor when its turn to be written comes', () => {
    const made: string[] = [];
    const [first] = [...weightFiles([tensor('a', 10, made), tensor('b', 20, made)], 80)];
    expect(made).to.deep.equal([]);
    for (const _ of (first?.[1] ?? []) as Iterable<Uint8Array>);
    expect(made).to.deep.equal(['a']);
  });
});

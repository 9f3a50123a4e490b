import { expect } from 'chai';
import { mappedPages } from '../../../../src/pipeline/planner/memory/mapped.js';

const KIB = 1024;

describe('blocks that are mapped by themselves', () => {
  const buffers = [
    { bytes: 127 * KIB, count: 8 },
    { bytes: 128 * KIB, count: 3 },
    { bytes: 1024 * KIB, count: 2 },
  ];

  it('take a page besides their bytes, from the size on that the process of a stage is told', () => {
    expect(mappedPages('onnx', buffers)).to.equal(5 * 4 * KIB);
    expect(mappedPages('tensorflow', buffers)).to.equal(2 * 4 * KIB);
  });

  it('are not counted where glibc decides by itself', () => {
    expect(mappedPages('wasm', buffers)).to.equal(0);
  });
});

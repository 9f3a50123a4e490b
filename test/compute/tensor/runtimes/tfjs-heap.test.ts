/** The heap of WebAssembly over an allocator that only counts. */
import { expect } from 'chai';
import { OutOfMemoryError } from '../../../../src/compute/tensor/out-of-memory.js';
import type { Core } from '../../../../src/compute/tensor/runtimes/tfjs/library.js';
import { limitHeap } from '../../../../src/compute/tensor/runtimes/tfjs/wasm.js';

/** As Emscripten has it: stubs, each of which gives its place to the function itself when it is first called. */
function heap() {
  let next = 8;
  const wasm = {
    _malloc(bytes: number): number {
      wasm._malloc = (more) => {
        next += more;
        return next - more;
      };
      return wasm._malloc(bytes);
    },
    _free(place: number): void {
      wasm._free = () => undefined;
      wasm._free(place);
    },
  };
  return { wasm, core: { engine: () => ({ backend: { wasm } }) } as unknown as Core };
}

describe('the heap of WebAssembly', () => {
  it('keeps to its limit in every allocation, and gives back what is freed', () => {
    const { wasm, core } = heap();
    limitHeap(core, 100);
    const first = wasm._malloc(60);
    wasm._malloc(30);
    expect(() => wasm._malloc(30))
      .to.throw(OutOfMemoryError)
      .with.nested.property('refused.diagnostic.message')
      .that.contains('30 bytes were requested, with 90 of 100 in use');
    wasm._free(first);
    wasm._malloc(70);
    expect(() => wasm._malloc(1)).to.throw(OutOfMemoryError);
  });
});

import { expect } from 'chai';
import { stageVariables } from '../../../src/pipeline/run/stage-environment.js';
import { ranks } from '../../accelerate/python.js';

describe('the environment of a stage', () => {
  it('has blocks of memory mapped for the runtimes of its own process, not for PyTorch', () => {
    const own = stageVariables({ threads: 2, runtime: 'onnx', engine: undefined });
    expect(own).to.include({ OMP_NUM_THREADS: '2', MALLOC_ARENA_MAX: '2' });
    expect(own).to.have.property('MALLOC_MMAP_THRESHOLD_');
    const asked = stageVariables({ threads: 2, runtime: 'onnx', engine: ranks(1) });
    expect(asked).to.deep.equal({
      OMP_NUM_THREADS: '2',
      RAYON_NUM_THREADS: '2',
      TOKENIZERS_PARALLELISM: 'true',
    });
  });
});

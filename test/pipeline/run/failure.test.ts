import { expect } from 'chai';
import { OutOfMemoryError, outOfMemory } from '../../../src/compute/tensor/out-of-memory.js';
import { deviceFull } from '../../../src/language/diagnostics/catalogue/runtimes.js';
import type { Stage } from '../../../src/language/ir/program.js';
import { diagnosticOf } from '../../../src/pipeline/run/run-diagnostics.js';
import { span } from './worlds.js';

describe('an error that ends a stage', () => {
  const stage: Stage = {
    kind: 'train',
    name: 'adapter',
    settings: {},
    origins: {},
    requires: [],
    inputs: [],
    span,
  };

  it('is a lack of memory where the host refused it', () => {
    expect(diagnosticOf(new RangeError('Array buffer allocation failed'), stage)?.code).to.equal('FTP0813');
  });

  it('is a lack of memory of a runtime, which may have more to say', () => {
    const refused = { runtime: 'onnx', memory: 'host' } as const;
    expect(diagnosticOf(new OutOfMemoryError('std::bad_alloc', refused), stage)?.message).to.equal(
      'stage `adapter` ran out of memory: std::bad_alloc',
    );
    const onDevice = outOfMemory(deviceFull(3, 2, 4), { runtime: 'wasm', memory: 'host' });
    expect(diagnosticOf(onDevice, stage)?.code).to.equal('FTP0931');
  });

  it('is no lack of memory because its message speaks of one', () => {
    expect(diagnosticOf(new Error('the word “out of memory” in a row'), stage)).to.equal(undefined);
  });

  it('is a bug otherwise', () => {
    expect(diagnosticOf(new TypeError('x is not a function'), stage)).to.equal(undefined);
  });
});

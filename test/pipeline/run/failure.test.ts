import { expect } from 'chai';
import type { Stage } from '../../../src/language/ir/types.js';
import { diagnosticOf } from '../../../src/pipeline/run/failure.js';
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

  for (const message of [
    'std::bad_alloc',
    'Array buffer allocation failed',
    'WebAssembly.Memory(): could not allocate memory',
    'Invalid typed array length: 9999999999',
    'ENOMEM: not enough memory, read',
  ])
    it(`is a lack of memory: ${message}`, () => {
      expect(diagnosticOf(new RangeError(message), stage)?.code).to.equal('FTP0813');
    });

  it('is a bug otherwise', () => {
    expect(diagnosticOf(new TypeError('x is not a function'), stage)).to.equal(undefined);
  });
});

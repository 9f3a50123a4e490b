import { expect } from 'chai';
import { lastLines } from '../../../src/compute/accelerate/last-lines.js';

describe('the last lines of a process', () => {
  it('are without empty ones, and without the warnings of Python', () => {
    const said = [
      'reading the base',
      '',
      "/lib/peft/mapping.py:154: UserWarning: 'model' was renamed",
      '  warnings.warn(',
      '/lib/transformers/modeling_utils.py:3312: FutureWarning: it is deprecated',
      '  warnings.warn(',
      'NCCL error in a collective',
      '  at rank 1',
      '',
    ];
    expect(lastLines(said.join('\n'))).to.deep.equal([
      'reading the base',
      'NCCL error in a collective',
      '  at rank 1',
    ]);
  });

  it('are a few', () => {
    expect(lastLines('1\n2\n3\n4\n5\n6\n7\n8')).to.deep.equal(['3', '4', '5', '6', '7', '8']);
  });
});

import { expect } from 'chai';
import { Fuzzer } from './fuzz.js';

describe('spoilt texts', () => {
  it('are never silently misread, and never make the compiler throw or hang', () => {
    const fuzzer = new Fuzzer(1);
    const wrong: string[] = [];
    for (let number = 0; number < 150; number++) {
      const spoilt = fuzzer.case(number);
      for (const problem of fuzzer.run(spoilt).problems)
        wrong.push(`case ${number}, ${spoilt.origin.name}, ${spoilt.mutation}: ${problem}`);
    }
    expect(wrong).to.deep.equal([]);
  });
});

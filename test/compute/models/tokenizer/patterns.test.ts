import { expect } from 'chai';
import { PATTERNS } from '../../../../src/compute/models/gguf/vocabularies.js';
import { repetitionsOf } from '../../../../src/compute/models/tokenizer/patterns.js';

/** Patterns, with how many repetitions follow each other, or a word of what is wrong with them. */
const CASES: readonly (readonly [pattern: string, result: number | string])[] = [
  ['\\p{N}{1,3}', 0],
  [' {2,}', 1],
  ['(?:\\r?\\n)+(?!\\r?\\n)', 1],
  [' ?[^(\\s|[.,!?…。，、।۔،])]+', 1],
  ['[\\p{Lu}&&[^\\p{Han}]]*[\\p{Ll}&&[^\\p{Han}]]+(?i:a|b)?', 2],
  ['[]a]+', 1],
  ['[^]a]+', 1],
  ['a++b*', 1],
  ['(?>a+)+b', 1],
  ['a|b*c*|d*', 2],
  ['\\(+\\)+', 2],
  ['(a+b)*', 'repeats what repeats'],
  ['((a{40}){40}){40}', 'repeats what repeats'],
  ['(?:a|ab)+', 'repeats a choice'],
  ['a)', 'does not open'],
  ['(?:a', 'does not close'],
  ['a'.repeat(10_001), 'more than 10000'],
];

describe('patterns of a tokenizer', () => {
  for (const [pattern, result] of CASES)
    it(`${pattern.slice(0, 60)}: ${result}`, () => {
      const found = repetitionsOf(pattern);
      if (typeof result === 'number') expect(found).to.equal(result);
      else expect(found).to.contain(result);
    });

  it('of models in wide use are taken', () => {
    for (const pattern of PATTERNS) expect(repetitionsOf(pattern)).to.equal(2);
  });
});

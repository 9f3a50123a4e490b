import { expect } from 'chai';
import { matchesPattern, patternProblem } from '../../../../src/compute/models/adapters/branches.js';

describe('patterns over paths', () => {
  it('match the end of a path from a dot on, as in PEFT', () => {
    const path = 'model.layers.12.self_attn.q_proj';
    for (const pattern of ['q_proj', 'self_attn.q_proj', 'layers\\.12\\..*q_proj', '(k|q)_proj', '.*'])
      expect(matchesPattern(pattern, path), pattern).to.equal(true);
    for (const pattern of ['proj', 'layers\\.1\\..*q_proj', 'q_pro'])
      expect(matchesPattern(pattern, path), pattern).to.equal(false);
  });

  it('are refused where they are no expressions, or would take long', () => {
    for (const pattern of ['q_proj', 'layers\\.(0|1|2)\\..*_proj', 'layers\\.[0-9]+\\.mlp', 'a\\(b'])
      expect(patternProblem(pattern), pattern).to.equal(undefined);
    for (const [pattern, problem] of [
      ['layers.(0', /unterminated group/],
      ['(a+)+b', /repeats a group/],
      ['(\\w|\\d)*x', /repeats a group/],
      ['(?:[a-z]*)*x', /repeats a group/],
      ['.*.*.*.*.*.*.*x', /repetitions/],
      ['a'.repeat(300), /letters/],
    ] as const)
      expect(patternProblem(pattern), pattern).to.match(problem);
  });
});

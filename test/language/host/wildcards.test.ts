import { createRequire } from 'node:module';
import { expect } from 'chai';
import { wildcard } from '../../../src/language/host/wildcards.js';
import { randomNumbers } from '../../compute/tensor/cases.js';

const { isMatch } = createRequire(createRequire(import.meta.url).resolve('tinyglobby'))('picomatch') as {
  isMatch(path: string, pattern: string, options: { readonly dot: boolean }): boolean;
};

describe('wildcards', () => {
  const cases: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
    ['*.jsonl', 'a.jsonl', true],
    ['*.jsonl', 'data/a.jsonl', false],
    ['**/*.jsonl', 'a.jsonl', true],
    ['**/*.jsonl', 'a/b/c.jsonl', true],
    ['data/**', 'data/a/b', true],
    ['data/**', 'other/a', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['*', '', true],
    ['?', '', false],
  ];
  for (const [pattern, path, matches] of cases)
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
      expect(wildcard(pattern)(path)).to.equal(matches);
    });

  it('match what picomatch matches', () => {
    const random = randomNumbers(18);
    const pick = (from: string, most: number): string =>
      Array.from(
        { length: 1 + Math.floor(random() * most) },
        () => from[Math.floor(random() * from.length)],
      ).join('');
    const names = (from: string): string =>
      Array.from({ length: 1 + Math.floor(random() * 3) }, () => (random() < 0.2 ? '' : pick(from, 4)))
        .filter((name) => name !== '' && name !== '.' && name !== '..')
        .join('/');
    for (let i = 0; i < 20_000; i++) {
      const pattern = names('ab.*?')
        .split('/')
        .map((name) => (random() < 0.2 ? '**' : name.replace(/\*+/g, '*')))
        .join('/');
      const path = names('ab.');
      if (pattern === '' || path === '' || /(?:^|\/)\.{1,2}(?:\/|$)/.test(`${pattern}/${path}`)) continue;
      // "*.*" wants something after the dot there
      if (/\.(?:\/|$)/.test(path)) continue;
      // "**" at the end stands for the folder itself too there; here only for what is in it, as files are looked for
      if (pattern.endsWith('/**')) continue;
      expect(wildcard(pattern)(path), `${pattern} ${path}`).to.equal(isMatch(path, pattern, { dot: true }));
    }
  });

  it('take time by the product of the lengths', () => {
    const pattern = `${'*a'.repeat(500)}b`;
    expect(wildcard(pattern)('a'.repeat(2_000))).to.equal(false);
    expect(wildcard(`${'**/a/'.repeat(100)}b`)('a/'.repeat(500))).to.equal(false);
  });
});

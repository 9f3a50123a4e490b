import { expect } from 'chai';
import { nearest, suggestion } from '../../../src/language/diagnostics/did-you-mean.js';

describe('did you mean', () => {
  const known = ['rank', 'alpha', 'dropout', 'learning_rate', 'epochs', 'Bool'];
  const cases: readonly (readonly [written: string, meant: string | undefined])[] = [
    ['rnak', 'rank'], // neighbours swapped
    ['drpout', 'dropout'], // a letter left out
    ['learningRate', 'learning_rate'], // another case and separator
    ['epoch', 'epochs'], // shortened
    ['Boolean', 'Bool'], // longer than the known name
    ['rink', 'rank'],
    ['tank', 'rank'],
    ['bill', undefined], // two of four letters differ
    ['warmup', undefined],
  ];
  for (const [written, meant] of cases)
    it(`${written}: ${meant ?? 'nothing'}`, () => {
      expect(nearest(written, known)).to.equal(meant);
    });

  it('never suggests the name itself, nor a name of which every letter differs', () => {
    expect(nearest('rank', ['rank'])).to.equal(undefined);
    expect(nearest('a', ['b', 'c'])).to.equal(undefined);
  });

  it('comes with a fix, or with the known names where nothing is near', () => {
    const at = { file: 'a.ftp', start: 4, end: 8 };
    const near = suggestion('rnak', at, known);
    expect(near.help).to.equal('did you mean `rank`?');
    expect(near.fixes?.[0]?.edits).to.deep.equal([{ span: at, text: 'rank' }]);
    expect(suggestion('warmup', at, ['rank', 'alpha'])).to.deep.equal({ help: 'known: `alpha` and `rank`' });
    expect(suggestion('x', at, [])).to.deep.equal({});
  });
});

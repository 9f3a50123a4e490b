import { expect } from 'chai';
import { compareReleases } from '../../../../src/pipeline/serve/comparison/compare.js';
import { ReleaseTally } from '../../../../src/pipeline/serve/comparison/release-tally.js';
import { randoms, requestLine } from '../request-lines.js';

describe('two releases side by side', () => {
  /** `slower`: durations times that; `errors`: share of requests that fail. */
  const tally = (seed: number, users: number, { slower = 1, errors = 0, up = 0.7 } = {}): ReleaseTally => {
    const random = randoms(seed);
    const made = new ReleaseTally();
    for (let group = 0; group < users; group++)
      for (let index = 0; index < 3; index++) {
        const status = random() < errors ? 500 : 200;
        const seconds = slower * Math.exp(random() - 0.5);
        const id = `${group}-${index}`;
        made.add(requestLine({ id, group, status, seconds, firstTokenSeconds: seconds / 10 }));
        if (index === 0)
          made.add({
            ...{ version: 1, type: 'feedback', at: 0, id, release: 1, group },
            thumbs: random() < up ? 'up' : 'down',
          });
      }
    return made;
  };

  it('differ where they do, by how much, and not where they do not', () => {
    const found = compareReleases(tally(1, 400), tally(2, 400, { slower: 1.2, up: 0.4 }));
    const of = (measure: string) => found.find((each) => each.measure === measure);
    expect(of('seconds')).to.include({ verdict: 'real', label: 'duration' });
    expect(of('seconds')?.difference).to.be.closeTo(0.2, 0.05);
    expect(of('seconds')?.interval.low).to.be.within(0.1, 0.2);
    expect(of('thumbsUp')).to.include({ verdict: 'real' });
    expect(of('thumbsUp')?.interval.high).to.be.lessThan(-0.1);
    expect(of('errors')).to.include({ verdict: 'not_shown', difference: 0, p: 1 });
    expect(of('answerTokens')).to.include({ verdict: 'not_shown', difference: 0 });
    expect(found.map(({ measure }) => measure)).to.deep.equal([
      'errors',
      'thumbsUp',
      'seconds',
      'firstToken',
      'answerTokens',
      'repetition',
      'refusals',
    ]);
  });

  it('say nothing of a few users', () => {
    const found = compareReleases(tally(1, 400), tally(2, 12, { slower: 9 }));
    expect(new Set(found.map(({ verdict }) => verdict))).to.deep.equal(new Set(['too_few']));
    expect(compareReleases(tally(1, 400), new ReleaseTally())).to.deep.equal([]);
  });

  it('have errors where the server is to blame, and durations of answers only', () => {
    const made = new ReleaseTally();
    for (const status of [200, 400, 429, 499, 500, 503]) made.add(requestLine({ status, seconds: status }));
    expect(made).to.include({ requests: 6, errors: 2 });
    expect(made.seconds.count).to.equal(1);
  });

  it('take back an opinion that changed', () => {
    const made = new ReleaseTally();
    const feedback = { version: 1, type: 'feedback', at: 0, id: 'x', release: 1, group: 5 } as const;
    made.add({ ...feedback, thumbs: 'down' });
    made.add({ ...feedback, thumbs: 'up', before: 'down' });
    expect(made).to.include({ up: 1, down: 0 });
    expect([...made.groups('thumbsUp')][5]).to.deep.equal({ sum: 1, count: 1 });
  });
});

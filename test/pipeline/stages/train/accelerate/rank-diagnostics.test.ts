import { expect } from 'chai';
import type { NodePlace } from '../../../../../src/compute/accelerate/engine.js';
import type { RankFailure } from '../../../../../src/compute/accelerate/rank-failure.js';
import { UserError } from '../../../../../src/language/diagnostics/types.js';
import { rankError } from '../../../../../src/pipeline/stages/train/accelerate/rank-diagnostics.js';
import { stageOf } from '../../alone.js';

describe('why ranks failed', () => {
  const notesOf = (failure: RankFailure, nodes?: NodePlace): readonly string[] => {
    const stage = stageOf('train', 'adapter', {});
    const error = rankError(failure, { stage, device: 'cpu', python: 'python', nodes, rate: 0 });
    if (!(error instanceof UserError)) throw error;
    return error.diagnostic.notes ?? [];
  };

  it('is said with the place where several machines meet, as long as their ranks have not begun', () => {
    const silent = { why: 'silent', rank: 1, seconds: 900, isStopped: false, tail: ['retrying'] } as const;
    const nodes = { count: 2, node: 1, rendezvous: 'box:29400' };
    const met = 'ranks begin once those of all 2 nodes have met at box:29400, where node 0 listens';
    expect(notesOf({ ...silent, isStarting: true }, nodes)).to.deep.equal(['retrying', met]);
    expect(notesOf({ ...silent, isStarting: false }, nodes)).to.deep.equal(['retrying']);
    expect(notesOf({ ...silent, isStarting: true })).to.deep.equal(['retrying']);
  });
});

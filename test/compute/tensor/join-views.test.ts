import { expect } from 'chai';
import { GraphBuilder } from '../../../src/compute/tensor/builder.js';
import { joinViews } from '../../../src/compute/tensor/join-views.js';
import { evaluate } from '../../../src/compute/tensor/runtimes/reference/index.js';
import { verify } from '../../../src/compute/tensor/verify.js';

describe('views of a graph', () => {
  const values = { x: Array.from({ length: 24 }, (_, i) => Math.sin(i)) };

  it('are joined: what is left has the results', () => {
    const b = new GraphBuilder('views');
    const x = b.input('x', [4, 6]);
    const heads = b.transpose(b.reshape(x, [1, 4, 2, 3]), [1, 0, 2, 3]);
    const again = b.reshape(b.reshape(heads, [2, 12]), [4, 6]);
    b.output('y', b.neg(again));
    b.output('turned', b.transpose(b.reshape(heads, [4, 2, 3]), [1, 0, 2]));
    b.output('z', b.reshape(heads, [4, 6]));
    const graph = b.build();
    const joined = joinViews(graph);
    verify(joined);
    expect(evaluate(joined, values)).to.deep.equal(evaluate(graph, values));
    // one before the transposition, and one that is an output
    expect(joined.nodes.map(({ op }) => op)).to.deep.equal(['neg', 'reshape', 'transpose', 'reshape']);
  });
});

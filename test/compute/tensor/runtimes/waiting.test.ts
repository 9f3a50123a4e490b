import { expect } from 'chai';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { isCrowded, onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';

describe('how threads wait', () => {
  it('is asleep where more programs than cores want to run', () => {
    expect(isCrowded({ cores: 2, load: 2.2 })).to.equal(false);
    expect(isCrowded({ cores: 2, load: 9 })).to.equal(true);
    expect(isCrowded({ cores: 16, load: 9 })).to.equal(false);
  });

  it('changes no bit of a product', async () => {
    const results: unknown[] = [];
    for (const crowded of [true, false]) {
      const runtime = await onnxRuntime({ threads: 2, crowded });
      const b = new GraphBuilder('product');
      b.output('y', b.matmul(b.input('x', [65, 70]), b.input('w', [70, 90])));
      const graph = await runtime.compile(b.build());
      const tensor = (shape: readonly [number, number]) => ({
        type: { dtype: 'f32' as const, shape },
        data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i)),
      });
      const { y } = await graph.run({ x: tensor([65, 70]), w: tensor([70, 90]) });
      results.push(y?.data);
      await graph.release();
    }
    expect(results[0]).to.deep.equal(results[1]);
  });
});

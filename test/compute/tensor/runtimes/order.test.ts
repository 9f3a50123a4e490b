/** The order of nodes that the memory plan counts on is the order in which ONNX Runtime runs them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { layerKind } from '../../../../src/compute/models/adapters/kinds.js';
import { blueprintOf } from '../../../../src/compute/models/architectures/index.js';
import { headGraph, trainingBlock } from '../../../../src/compute/models/decoder/graphs.js';
import { planMemory } from '../../../../src/compute/tensor/liveness.js';
import { arrange, executionOrder } from '../../../../src/compute/tensor/order.js';
import { accumulateInPlace } from '../../../../src/compute/tensor/runtimes/onnx/accumulate.js';
import { encode } from '../../../../src/compute/tensor/runtimes/onnx/encode.js';
import { loadOnnx, onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { isSound, sums, tangle } from '../../../../src/compute/tensor/runtimes/onnx/probe.js';
import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { bytesOf, sizeOf } from '../../../../src/compute/tensor/shape.js';
import type { Graph, Node, ValueId } from '../../../../src/compute/tensor/types.js';
import { fixture } from '../../models/decoder/fixture.js';

const onnx = await loadOnnx();

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
}

/** Numbers of the nodes in the model, as the profile of one run lists them. */
async function profiledOrder(graph: Graph): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'order-'));
  const session = await onnx.InferenceSession.create(encode(graph), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
    logSeverityLevel: 3,
  });
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const { dtype, shape } = graph.types[value] ?? { dtype: 'f32', shape: [] };
      const size = sizeOf(shape);
      if (dtype === 'i32') return [name, new onnx.Tensor('int32', new Int32Array(size), shape)];
      if (dtype === 'bool') return [name, new onnx.Tensor('bool', new Uint8Array(size), shape)];
      return [name, new onnx.Tensor('float32', new Float32Array(size), shape)];
    }),
  );
  await session.run(
    feeds,
    graph.outputs.map(({ name }) => name),
  );
  await session.release();
  const [file] = readdirSync(folder);
  const text = readFileSync(join(folder, file ?? ''), 'utf8').trim();
  rmSync(folder, { recursive: true });
  const events: readonly ProfileEvent[] = JSON.parse(text.endsWith(']') ? text : text.replace(/,?$/, ']'));
  return events
    .filter(
      ({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time') && !name.includes(':SequenceEmpty'),
    )
    .map(({ name }) => Number.parseInt(name, 10));
}

describe('execution order', () => {
  const { recording, adapter } = fixture('tied');
  const { config } = recording;
  const lora = { ...adapter.config, dropout: 0.1 };
  const adapted = layerKind(blueprintOf(config), lora, 0);
  const plain = layerKind(blueprintOf(config), undefined, 0);
  const options = { config, lora, trainable: 'adapter' } as const;
  const full = { config, trainable: 'full' } as const;
  const shape = { rows: 2, length: 5 };
  const graphs: Readonly<Record<string, Graph>> = {
    'a tangle': tangle(),
    'a forward pass': trainingBlock(options, adapted, shape, 'both', false).forward,
    'a backward pass': trainingBlock(options, adapted, shape, 'both', false).backward,
    'a recomputing backward pass': trainingBlock(full, plain, shape, 'nothing', false).backward,
    'a backward pass with sums in place': accumulateInPlace(
      trainingBlock(options, adapted, shape, 'all', false).backward,
      0,
    ),
    'a head': headGraph(full, 8, 'train'),
  };
  for (const [title, graph] of Object.entries(graphs))
    it(`of ${title} is predicted`, async () => {
      const listed = arrange<ValueId, Node>(graph.nodes);
      const numbers = new Map(listed.map((node, index) => [node, index]));
      const predicted = executionOrder<ValueId, Node>(listed).map((node) => numbers.get(node));
      const seen = await profiledOrder(graph);
      // the model's first node, which ends the outputs, is a leaf and moves the numbers of the leaves by one
      const rank = (order: readonly (number | undefined)[]) => {
        const sorted = [...order].sort((a, b) => Number(a) - Number(b));
        return order.map((number) => sorted.indexOf(number));
      };
      expect(rank(seen)).to.deep.equal(rank(predicted));
    });

  it('is proved by the probe', async () => {
    const runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    for (const probe of [tangle(), sums()]) {
      expect(await isSound((graph) => referenceRuntime().compile(graph), probe)).to.equal(true);
      expect(await isSound((graph) => runtime.compile(graph), probe)).to.equal(true);
    }
    const wrong = await isSound(async (graph) => {
      const swapped = {
        ...graph,
        outputs: [...graph.outputs]
          .reverse()
          .map(({ name }, index) => ({ name, value: graph.outputs[index]?.value ?? 0 })),
      };
      return referenceRuntime().compile(swapped);
    }, tangle());
    expect(wrong).to.equal(false);
  });
});

describe('memory plan', () => {
  it('never puts two values that are alive together in one place', () => {
    for (const graph of [
      tangle(),
      accumulateInPlace(sums(), 0),
      trainingBlock(
        { config: fixture('tied').recording.config, trainable: 'full' },
        layerKind(blueprintOf(fixture('tied').recording.config), undefined, 0),
        { rows: 1, length: 4 },
        'nothing',
        false,
      ).backward,
    ]) {
      const { bytes, offsets } = planMemory(graph);
      const order = executionOrder<ValueId, Node>(arrange<ValueId, Node>(graph.nodes));
      // bytes are written with the number of their value, and checked at each read
      const memory = new Int32Array(bytes).fill(-1);
      const root = new Map<ValueId, ValueId>();
      for (const node of order) {
        for (const input of node.inputs) {
          const home = root.get(input);
          const offset = home === undefined ? undefined : offsets.get(home);
          if (home === undefined || offset === undefined) continue;
          const type = graph.types[home];
          const size = type === undefined ? 0 : bytesOf(type);
          expect(memory.subarray(offset, offset + size).every((owner) => owner === home)).to.equal(true);
        }
        for (const output of node.outputs) {
          if (node.op === 'reshape') {
            root.set(output, root.get(node.inputs[0] ?? -1) ?? output);
            continue;
          }
          const offset = offsets.get(output);
          const type = graph.types[output];
          if (offset === undefined || type === undefined) continue;
          memory.fill(output, offset, offset + bytesOf(type));
          root.set(output, output);
        }
      }
    }
  });
});

/** Runs the blocks, forward over all layers and backward again. */
import type { CompiledGraph, Tensor, Tensors } from '../../tensor/types.js';
import { BOTTLENECK_MODULES } from '../adapters/bottleneck.js';
import { blockName, projectionsOf } from '../architectures/index.js';
import { addUniformNoise, dropoutMask, EMBEDDED, streamOf } from './dropout.js';
import { placingOf } from './embedding.js';
import {
  type BlockShape,
  evaluationBlock,
  type Keeping,
  keepingOf,
  keepsMasks,
  reachOf,
  shapeName,
  trainingBlock,
  trainsEmbedding,
} from './graphs.js';
import type { Machine } from './machine.js';
import type { Batch, DropoutKey } from './types.js';

type Tokens = Omit<Batch, 'labels'>;

const shapeOf = ({ rows, length, segments, longestText = length }: Tokens): BlockShape => ({
  rows,
  length,
  ...(segments === undefined ? {} : { packed: reachOf(longestText, length) }),
});

/** Hidden states `[rows·length, hidden]` after the last block, without dropout. */
export async function evaluateStack(
  machine: Machine,
  tokens: Tokens,
  onCache?: (layer: number, keys: Tensor, values: Tensor) => Promise<void>,
): Promise<Tensor> {
  const { buffers, compiled, graphs, options, prefix, weights } = machine;
  const shape = shapeOf(tokens);
  const cached = onCache !== undefined;
  const graphOf = (layer: number) => {
    const kind = machine.kindOf(layer);
    return compiled.get(`evaluate ${kind.key} ${shapeName(shape)} ${cached}`, () =>
      evaluationBlock(graphs, kind, shape, cached),
    );
  };
  const hidden = [0, 1].map((side) => buffers.floats(`hidden.${side}`, hiddenShape(machine, shape)));
  const [even, odd] = hidden as [Tensor, Tensor];
  machine.parameters.publish();
  await prefix.prepare();
  await weights.embedding.write(tokens.ids, placingOf(tokens, prefix.tokens), even);
  for (let layer = 0; layer < options.config.layers; layer++) {
    const [x, y] = layer % 2 === 0 ? [even, odd] : [odd, even];
    const graph = await graphOf(layer);
    const outputs = outputsOf(machine, graph, (name) => (name === 'y' ? y : undefined), 'cache');
    await graph.run(
      { x, ...machine.positions(tokens, layer), ...weights.block(layer), ...prefix.inputs(layer) },
      outputs,
    );
    if (onCache !== undefined && outputs['keys'] !== undefined && outputs['values'] !== undefined)
      await onCache(layer, outputs['keys'], outputs['values']);
  }
  return options.config.layers % 2 === 0 ? even : odd;
}

const hiddenShape = ({ options }: Machine, { rows, length }: BlockShape) => [
  rows * length,
  options.config.hiddenSize,
];

/** A preallocated tensor for each output of a graph: `chosen`, or one of the buffers under `prefix`. */
function outputsOf(
  { buffers }: Machine,
  { graph }: CompiledGraph,
  chosen: (name: string) => Tensor | undefined,
  prefix: string,
): Record<string, Tensor> {
  return Object.fromEntries(
    graph.outputs.map(({ name, value }) => {
      const type = graph.types[value] ?? { dtype: 'f32', shape: [] };
      return [name, chosen(name) ?? buffers.tensor(`${prefix}.${name}`, type)];
    }),
  );
}

/** One forward pass of which the backward pass is still to come. */
export interface Pass {
  readonly hidden: Tensor;
  /**
   * Adds up the gradients of the trained tensors; gives the gradient of the embedded tokens, or nothing where
   * nobody needs it. `upstream` is the gradient of `hidden` and may be overwritten.
   */
  backward(upstream: Tensor): Promise<Tensor | undefined>;
}

/** Where the gradient of the last hidden states belongs. */
export const upstreamBuffer = (machine: Machine, shape: BlockShape): Tensor =>
  machine.buffers.floats('gradient.0', hiddenShape(machine, shape));

export async function trainStack(
  machine: Machine,
  tokens: Tokens,
  key: DropoutKey,
  noise: number,
): Promise<Pass> {
  const shape = shapeOf(tokens);
  const { buffers, compiled, graphs, options, prefix, weights } = machine;
  const { layers } = options.config;
  const blocks = await Promise.all(
    Array.from({ length: layers }, async (_, layer) => {
      const keeping = keepingOf(layer, options);
      const first = layer === 0 && graphs.trainable === 'adapter';
      const kind = machine.kindOf(layer);
      const name = `${kind.key} ${shapeName(shape)} ${keeping} ${first}`;
      const build = () => trainingBlock(graphs, kind, shape, keeping, first);
      const forward = await compiled.get(`forward ${name}`, () => build().forward);
      const backward = await compiled.get(`backward ${name}`, () => build().backward);
      return { forward, backward, keeping };
    }),
  );
  const hiddenOf = (layer: number) => buffers.floats(`hidden.${layer}`, hiddenShape(machine, shape));
  machine.parameters.publish();
  await prefix.prepare();
  const addNoise = (values: Float32Array): void => {
    const virtual = options.adapter?.config.virtualTokens ?? 0;
    const { hiddenSize: width } = options.config;
    for (let row = 0; row < shape.rows; row++) {
      const [first, end] = [(row * shape.length + virtual) * width, (row + 1) * shape.length * width];
      addUniformNoise(values.subarray(first, end), noise, streamOf(key, EMBEDDED, row));
    }
  };
  await weights.embedding.write(
    tokens.ids,
    placingOf(tokens, prefix.tokens),
    hiddenOf(0),
    noise > 0 ? addNoise : undefined,
  );

  const kept: Tensors[] = [];
  for (const [layer, { forward, keeping }] of blocks.entries()) {
    const role = keeping === 'nothing' ? 'recomputed' : `kept.${layer}`;
    const masks = dropoutInputs(machine, forward, layer, key, maskRole(keeping, layer));
    const outputs = outputsOf(
      machine,
      forward,
      (name) => (name === 'y' ? hiddenOf(layer + 1) : undefined),
      role,
    );
    await forward.run(
      {
        x: hiddenOf(layer),
        ...machine.positions(tokens, layer),
        ...weights.block(layer),
        ...prefix.inputs(layer),
        ...masks,
      },
      outputs,
    );
    kept.push({ ...(keeping === 'nothing' ? {} : outputs), ...(keepsMasks(keeping) ? masks : {}) });
  }
  return {
    hidden: hiddenOf(layers),
    async backward(upstream) {
      let dy = upstream;
      let spare: Tensor = buffers.floats('gradient.1', hiddenShape(machine, shape));
      for (const [layer, { backward, keeping }] of [...blocks.entries()].reverse()) {
        const masks = keepsMasks(keeping)
          ? {}
          : dropoutInputs(machine, backward, layer, key, maskRole(keeping, layer));
        const totals = { ...totalsOf(machine, layer), ...prefix.totals(layer) };
        const outputs = outputsOf(
          machine,
          backward,
          (name) => (name === 'dx' ? spare : totals[name.replace('grad.', 'total.')]),
          'backward',
        );
        await backward.run(
          {
            x: hiddenOf(layer),
            dy,
            ...machine.positions(tokens, layer),
            ...weights.block(layer),
            ...prefix.inputs(layer),
            ...kept[layer],
            ...masks,
            ...totals,
          },
          outputs,
        );
        [dy, spare] = [spare, dy];
      }
      await prefix.backward();
      return trainsEmbedding(graphs) ? dy : undefined;
    },
  };
}

/** Masks are drawn again for what is computed again. */
const maskRole = (keeping: Keeping, layer: number): string =>
  keepsMasks(keeping) ? `kept.${layer}` : 'recomputed';

/** Sums of the gradients of one block, as inputs; the graph writes the new sums over them. */
function totalsOf({ parameters, blueprint }: Machine, layer: number): Tensors {
  const prefix = blockName(blueprint, layer, '');
  const totals: Record<string, Tensor> = {};
  for (const [name, tensor] of parameters.gradientTensors)
    if (name.startsWith(prefix)) totals[`total.${name.slice(prefix.length)}`] = tensor;
  return totals;
}

function dropoutInputs(
  { buffers, kindOf, options }: Machine,
  { graph }: CompiledGraph,
  layer: number,
  key: DropoutKey,
  role: string,
): Tensors {
  const rate = options.adapter?.config.dropout ?? 0;
  const modules = [
    ...projectionsOf(kindOf(layer).block).map(({ module }) => module),
    ...Object.values(BOTTLENECK_MODULES),
  ];
  const masks: Record<string, Tensor> = {};
  for (const { name, value } of graph.inputs) {
    if (!name.startsWith('dropout.')) continue;
    const module = modules.findIndex((known) => name === `dropout.${known}`);
    const mask = buffers.tensor(`${role}.${name}`, graph.types[value] ?? { dtype: 'bool', shape: [] });
    options.runtime.memory.write([mask], (data) => {
      dropoutMask(data as Uint8Array, rate, streamOf(key, layer, module));
    });
    masks[name] = mask;
  }
  return masks;
}

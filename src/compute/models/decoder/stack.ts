/** Hidden states through all blocks without dropout, and what a training pass shares with that. */
import type { CompiledGraph, Tensor } from '../../tensor/types.js';
import type { DecoderContext } from './context.js';
import { positionLookup } from './embedding.js';
import { type BlockShape, blockShape, evaluationBlock, shapeName } from './graphs.js';
import type { Batch } from './types.js';

export type Tokens = Omit<Batch, 'labels'>;

export const shapeOf = ({ rows, length, segments, forks, longestText = length }: Tokens): BlockShape =>
  blockShape({ rows, length, packed: segments && longestText, forked: forks !== undefined });

/** Hidden states `[rows·length, hidden]` after the last block, without dropout. */
export async function evaluateStack(
  context: DecoderContext,
  tokens: Tokens,
  onCache?: (layer: number, keys: Tensor, values: Tensor) => Promise<void>,
): Promise<Tensor> {
  const { buffers, compiled, graphs, options, prefix, weights } = context;
  const shape = shapeOf(tokens);
  const cached = onCache !== undefined;
  const graphOf = (layer: number) => {
    const kind = context.kindOf(layer);
    return compiled.get(`evaluate ${kind.key} ${shapeName(shape)} ${cached}`, () =>
      evaluationBlock(graphs, kind, shape, cached),
    );
  };
  const hidden = [0, 1].map((side) => buffers.floats(`hidden.${side}`, hiddenShape(context, shape)));
  const [even, odd] = hidden as [Tensor, Tensor];
  context.parameters.publish();
  await prefix.prepare();
  await weights.embedding.write(tokens.ids, positionLookup(tokens, prefix.tokens), even);
  for (let layer = 0; layer < options.config.layers; layer++) {
    const [x, y] = layer % 2 === 0 ? [even, odd] : [odd, even];
    const graph = await graphOf(layer);
    const outputs = outputsOf(context, graph, (name) => (name === 'y' ? y : undefined), 'cache');
    await graph.run(
      {
        x,
        ...context.positions.inputs(tokens, layer),
        ...(await weights.block(layer, graph.graph)),
        ...prefix.inputs(layer),
      },
      outputs,
    );
    if (onCache !== undefined && outputs['keys'] !== undefined && outputs['values'] !== undefined)
      await onCache(layer, outputs['keys'], outputs['values']);
  }
  return options.config.layers % 2 === 0 ? even : odd;
}

/** `[rows·length, hidden]` */
export const hiddenShape = ({ options }: DecoderContext, { rows, length }: BlockShape) => [
  rows * length,
  options.config.hiddenSize,
];

/** A preallocated tensor for each output of a graph: `chosen`, or one of the buffers under `prefix`. */
export function outputsOf(
  { buffers }: DecoderContext,
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

/** A training pass: the blocks with their dropout, forward over all layers and backward again. */
import type { CompiledGraph, Tensor, Tensors } from '../../tensor/types.js';
import { BOTTLENECK_MODULES } from '../adapters/bottleneck.js';
import { dropoutOf } from '../adapters/kinds.js';
import { promptTokens } from '../adapters/prompt.js';
import { blockName, projectionsOf } from '../architectures/index.js';
import type { DecoderContext } from './context.js';
import { addUniformNoise, dropoutMask, EMBEDDED, streamOf } from './dropout.js';
import { positionLookup } from './embedding.js';
import {
  type BlockShape,
  type SavedActivations,
  savedActivationsOf,
  savesMasks,
  shapeName,
  trainingBlock,
  trainsEmbedding,
} from './graphs.js';
import { hiddenShape, outputsOf, shapeOf, type Tokens } from './stack.js';
import type { DropoutKey } from './types.js';

/** Where the gradient of the last hidden states belongs. */
export const upstreamBuffer = (context: DecoderContext, shape: BlockShape): Tensor =>
  context.buffers.floats('gradient.0', hiddenShape(context, shape));

/** Runs the forward pass. `noise`: bound of the uniform noise on the embedded tokens (NEFTune); 0 for none. */
export async function trainStack(
  context: DecoderContext,
  tokens: Tokens,
  key: DropoutKey,
  noise: number,
): Promise<TrainingPass> {
  const blocks = await compiledBlocks(context, shapeOf(tokens));
  const pass = new TrainingPass(context, tokens, key, blocks);
  context.parameters.publish();
  await context.prefix.prepare();
  await pass.embed(noise);
  await pass.forward();
  return pass;
}

/** The graphs of one layer, and what is saved between them. */
interface TrainingBlock {
  readonly forward: CompiledGraph;
  readonly backward: CompiledGraph;
  readonly savedActivations: SavedActivations;
}

/** All of them before the first one runs, so that memory is reserved for a whole step at once. */
const compiledBlocks = (context: DecoderContext, shape: BlockShape): Promise<readonly TrainingBlock[]> => {
  const { compiled, graphs, options } = context;
  return Promise.all(
    Array.from({ length: options.config.layers }, async (_, layer) => {
      const first = layer === 0 && graphs.trainable === 'adapter';
      const kind = context.kindOf(layer);
      const savedActivations = savedActivationsOf(layer, options, graphs, kind, shape);
      const name = `${kind.key} ${shapeName(shape)} ${savedActivations} ${first}`;
      const build = () => trainingBlock(graphs, kind, shape, savedActivations, first);
      const forward = await compiled.get(`forward ${name}`, () => build().forward);
      const backward = await compiled.get(`backward ${name}`, () => build().backward);
      return { forward, backward, savedActivations };
    }),
  );
};

class TrainingPass {
  private readonly shape: BlockShape;
  /** What the backward pass takes from the forward pass, by layer. */
  private readonly saved: Tensors[] = [];

  constructor(
    private readonly context: DecoderContext,
    private readonly tokens: Tokens,
    private readonly key: DropoutKey,
    private readonly blocks: readonly TrainingBlock[],
  ) {
    this.shape = shapeOf(tokens);
  }

  get hidden(): Tensor {
    return this.hiddenBefore(this.blocks.length);
  }

  async embed(noise: number): Promise<void> {
    const { prefix, weights } = this.context;
    const addNoise = noise > 0 ? (values: Float32Array) => this.addNoise(values, noise) : undefined;
    const placing = positionLookup(this.tokens, prefix.tokens);
    await weights.embedding.write(this.tokens.ids, placing, this.hiddenBefore(0), addNoise);
  }

  async forward(): Promise<void> {
    for (const [layer, { forward, savedActivations }] of this.blocks.entries()) {
      const masks = this.masks(forward, layer, savedActivations);
      const y = this.hiddenBefore(layer + 1);
      const role = savedActivations === 'nothing' ? 'recomputed' : `saved.${layer}`;
      const outputs = outputsOf(this.context, forward, (name) => (name === 'y' ? y : undefined), role);
      await forward.run({ ...(await this.inputs(layer, forward)), ...masks }, outputs);
      this.saved.push({
        ...(savedActivations === 'nothing' ? {} : outputs),
        ...(savesMasks(savedActivations) ? masks : {}),
      });
    }
  }

  /**
   * Adds up the gradients of the trained tensors; gives the gradient of the embedded tokens, or nothing where
   * nobody needs it. `upstream` is the gradient of `hidden` and may be overwritten.
   */
  async backward(upstream: Tensor): Promise<Tensor | undefined> {
    const { buffers, graphs, prefix } = this.context;
    let dy = upstream;
    let spare: Tensor = buffers.floats('gradient.1', hiddenShape(this.context, this.shape));
    for (const [layer, { backward, savedActivations }] of [...this.blocks.entries()].reverse()) {
      const masks = savesMasks(savedActivations) ? {} : this.masks(backward, layer, savedActivations);
      const totals = { ...totalsOf(this.context, layer), ...prefix.totals(layer) };
      const outputs = outputsOf(
        this.context,
        backward,
        (name) => (name === 'dx' ? spare : totals[name.replace('grad.', 'total.')]),
        'backward',
      );
      const inputs = await this.inputs(layer, backward);
      await backward.run({ ...inputs, dy, ...this.saved[layer], ...masks, ...totals }, outputs);
      [dy, spare] = [spare, dy];
    }
    await prefix.backward();
    return trainsEmbedding(graphs) ? dy : undefined;
  }

  /** `[rows·length, hidden]`: what a layer reads, or after the last one the result. */
  private hiddenBefore(layer: number): Tensor {
    return this.context.buffers.floats(`hidden.${layer}`, hiddenShape(this.context, this.shape));
  }

  /** What both graphs of a layer read, besides masks. */
  private async inputs(layer: number, { graph }: CompiledGraph): Promise<Tensors> {
    const { prefix, weights } = this.context;
    return {
      x: this.hiddenBefore(layer),
      ...this.context.positions.inputs(this.tokens, layer),
      ...(await weights.block(layer, graph)),
      ...prefix.inputs(layer),
    };
  }

  /** Masks are drawn again, and are the same, for what is computed again. */
  private masks(graph: CompiledGraph, layer: number, savedActivations: SavedActivations): Tensors {
    const role = savesMasks(savedActivations) ? `saved.${layer}` : 'recomputed';
    return dropoutInputs(this.context, graph, layer, this.key, role);
  }

  /** To the tokens of the texts, not to virtual ones. */
  private addNoise(values: Float32Array, noise: number): void {
    const { adapter, config } = this.context.options;
    const { rows, length } = this.shape;
    const virtual = promptTokens(adapter?.config);
    for (let row = 0; row < rows; row++) {
      const [first, end] = [row * length + virtual, (row + 1) * length];
      const own = values.subarray(first * config.hiddenSize, end * config.hiddenSize);
      addUniformNoise(own, noise, streamOf(this.key, EMBEDDED, row));
    }
  }
}

/** Sums of the gradients of one block, as inputs; the graph writes the new sums over them. */
function totalsOf({ parameters, blueprint }: DecoderContext, layer: number): Tensors {
  const prefix = blockName(blueprint, layer, '');
  const totals: Record<string, Tensor> = {};
  for (const [name, tensor] of parameters.gradientTensors)
    if (name.startsWith(prefix)) totals[`total.${name.slice(prefix.length)}`] = tensor;
  return totals;
}

function dropoutInputs(
  { buffers, kindOf, options }: DecoderContext,
  { graph }: CompiledGraph,
  layer: number,
  key: DropoutKey,
  role: string,
): Tensors {
  const rate = dropoutOf(options.adapter?.config);
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

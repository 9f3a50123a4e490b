/** A training pass: the blocks with their dropout, forward over all layers and backward again. */
import type { CompiledGraph, Tensor, Tensors } from '../../tensor/types.js';
import { BOTTLENECK_MODULES } from '../adapters/bottleneck.js';
import { dropoutOf } from '../adapters/kinds.js';
import { promptTokens } from '../adapters/prompt.js';
import { blockName, projectionsOf } from '../architectures/index.js';
import { addUniformNoise, dropoutMask, EMBEDDED, streamOf } from './dropout.js';
import { placingOf } from './embedding.js';
import {
  type BlockShape,
  type Keeping,
  keepingOf,
  keepsMasks,
  shapeName,
  trainingBlock,
  trainsEmbedding,
} from './graphs.js';
import type { Machine } from './machine.js';
import { hiddenShape, outputsOf, shapeOf, type Tokens } from './stack.js';
import type { DropoutKey } from './types.js';

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

/** Runs the forward pass. `noise`: bound of the uniform noise on the embedded tokens (NEFTune); 0 for none. */
export async function trainStack(
  machine: Machine,
  tokens: Tokens,
  key: DropoutKey,
  noise: number,
): Promise<Pass> {
  const blocks = await compiledBlocks(machine, shapeOf(tokens));
  const pass = new TrainingPass(machine, tokens, key, blocks);
  machine.parameters.publish();
  await machine.prefix.prepare();
  await pass.embed(noise);
  await pass.forward();
  return pass;
}

/** The graphs of one layer, and what is kept of it between them. */
interface TrainingBlock {
  readonly forward: CompiledGraph;
  readonly backward: CompiledGraph;
  readonly keeping: Keeping;
}

/** All of them before the first one runs, so that memory is reserved for a whole step at once. */
const compiledBlocks = (machine: Machine, shape: BlockShape): Promise<readonly TrainingBlock[]> => {
  const { compiled, graphs, options } = machine;
  return Promise.all(
    Array.from({ length: options.config.layers }, async (_, layer) => {
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
};

class TrainingPass implements Pass {
  private readonly shape: BlockShape;
  /** What the backward pass takes from the forward pass, by layer. */
  private readonly kept: Tensors[] = [];

  constructor(
    private readonly machine: Machine,
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
    const { prefix, weights } = this.machine;
    const addNoise = noise > 0 ? (values: Float32Array) => this.addNoise(values, noise) : undefined;
    const placing = placingOf(this.tokens, prefix.tokens);
    await weights.embedding.write(this.tokens.ids, placing, this.hiddenBefore(0), addNoise);
  }

  async forward(): Promise<void> {
    for (const [layer, { forward, keeping }] of this.blocks.entries()) {
      const masks = this.masks(forward, layer, keeping);
      const y = this.hiddenBefore(layer + 1);
      const role = keeping === 'nothing' ? 'recomputed' : `kept.${layer}`;
      const outputs = outputsOf(this.machine, forward, (name) => (name === 'y' ? y : undefined), role);
      await forward.run({ ...this.inputs(layer), ...masks }, outputs);
      this.kept.push({
        ...(keeping === 'nothing' ? {} : outputs),
        ...(keepsMasks(keeping) ? masks : {}),
      });
    }
  }

  async backward(upstream: Tensor): Promise<Tensor | undefined> {
    const { buffers, graphs, prefix } = this.machine;
    let dy = upstream;
    let spare: Tensor = buffers.floats('gradient.1', hiddenShape(this.machine, this.shape));
    for (const [layer, { backward, keeping }] of [...this.blocks.entries()].reverse()) {
      const masks = keepsMasks(keeping) ? {} : this.masks(backward, layer, keeping);
      const totals = { ...totalsOf(this.machine, layer), ...prefix.totals(layer) };
      const outputs = outputsOf(
        this.machine,
        backward,
        (name) => (name === 'dx' ? spare : totals[name.replace('grad.', 'total.')]),
        'backward',
      );
      await backward.run({ ...this.inputs(layer), dy, ...this.kept[layer], ...masks, ...totals }, outputs);
      [dy, spare] = [spare, dy];
    }
    await prefix.backward();
    return trainsEmbedding(graphs) ? dy : undefined;
  }

  /** `[rows·length, hidden]`: what a layer reads, or after the last one the result. */
  private hiddenBefore(layer: number): Tensor {
    return this.machine.buffers.floats(`hidden.${layer}`, hiddenShape(this.machine, this.shape));
  }

  /** What both graphs of a layer read, besides masks. */
  private inputs(layer: number): Tensors {
    const { prefix, weights } = this.machine;
    return {
      x: this.hiddenBefore(layer),
      ...this.machine.positions.inputs(this.tokens, layer),
      ...weights.block(layer),
      ...prefix.inputs(layer),
    };
  }

  /** Masks are drawn again, and are the same, for what is computed again. */
  private masks(graph: CompiledGraph, layer: number, keeping: Keeping): Tensors {
    const role = keepsMasks(keeping) ? `kept.${layer}` : 'recomputed';
    return dropoutInputs(this.machine, graph, layer, this.key, role);
  }

  /** To the tokens of the texts, not to virtual ones. */
  private addNoise(values: Float32Array, noise: number): void {
    const { adapter, config } = this.machine.options;
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

/** Final norm, logits and loss over chunks of positions, so that the logits of a batch never exist at once. */
import { bytesOf, f32 } from '../../tensor/shape.js';
import type { HostTensor, Tensor, Tensors } from '../../tensor/types.js';
import { type Chunk, chunksOf, cleared, positionsOf } from './chunks.js';
import { type HeadRole, headGraph } from './graphs.js';
import { gradientInPieces, logitsInPieces, lossInPieces, preparePieces } from './head-pieces.js';
import type { Machine } from './machine.js';
import type { Supervision } from './supervision.js';
import { headInputs } from './weights.js';

/** Tokens whose logits exist at the same time: no more than are taken in one tensor of at most `largest` bytes. */
export const fittingChunk = (
  logitsChunk: number,
  width: number,
  largest: number = Number.POSITIVE_INFINITY,
): number => Math.max(1, Math.min(logitsChunk, Math.floor(largest / bytesOf(f32([width])))));

function chunkOf({ options, blueprint }: Machine): number {
  const [width = 1] = blueprint.head.output.shape;
  return fittingChunk(options.logitsChunk, width, options.runtime.largestTensor);
}

const graphFor = ({ compiled, graphs }: Machine, size: number, role: HeadRole) =>
  compiled.get(`head ${role} ${size}`, () => headGraph(graphs, size, role));

/** Compiles what {@link headGradient} will run, so that memory is reserved for all graphs of a step at once. */
export async function prepareHead(machine: Machine, count: number): Promise<void> {
  if (machine.pieces !== undefined) return preparePieces(machine, count, machine.pieces);
  for (const { size } of chunksOf(count, chunkOf(machine))) await graphFor(machine, size, 'train');
}

function labelsOf({ host }: Machine, labels: readonly number[], { size, start, count }: Chunk): HostTensor {
  const tensor = host.tensor('head.labels', { dtype: 'i32', shape: [size] });
  for (let row = 0; row < count; row++) (tensor.data as Int32Array)[row] = labels[start + row] ?? 0;
  return cleared(tensor, count);
}

/** Loss of each supervised position, in nats. */
export async function headLoss(
  machine: Machine,
  hidden: Tensor,
  supervision: Supervision,
): Promise<Float32Array> {
  const { pieces } = machine;
  if (pieces !== undefined) return (await lossInPieces(machine, hidden, supervision, pieces)).losses;
  const losses = new Float32Array(supervision.positions.length);
  for (const chunk of chunksOf(losses.length, chunkOf(machine))) {
    const graph = await graphFor(machine, chunk.size, 'loss');
    const loss = machine.host.floats('head.loss', [chunk.size]);
    const x = await machine.rows.take(hidden, positionsOf(supervision.positions, chunk), chunk.size);
    const labels = labelsOf(machine, supervision.labels, chunk);
    await graph.run({ x, labels, ...machine.weights.head() }, { loss });
    losses.set(loss.data.subarray(0, chunk.count), chunk.start);
  }
  return losses;
}

/**
 * The same with the backward pass: writes `scale` × the gradient of the loss sum into `upstream`, where somebody needs
 * it, and adds the gradients of the head's weights where they are trained.
 */
export async function headGradient(
  machine: Machine,
  hidden: Tensor,
  supervision: Supervision,
  scale: number,
  upstream: Tensor | undefined,
): Promise<Float32Array> {
  const { buffers, host, options, pieces, rows, weights } = machine;
  if (pieces !== undefined)
    return gradientInPieces(machine, hidden, supervision, { scale, upstream, pieces });
  const losses = new Float32Array(supervision.positions.length);
  const totals = totalsOf(machine);
  for (const chunk of chunksOf(losses.length, chunkOf(machine))) {
    const graph = await graphFor(machine, chunk.size, 'train');
    const positions = positionsOf(supervision.positions, chunk);
    const loss = host.floats('head.loss', [chunk.size]);
    const dx = upstream && buffers.floats('head.dx', [chunk.size, options.config.hiddenSize]);
    const seed = host.floats('head.seed', [chunk.size]);
    cleared(seed, chunk.count).data.fill(scale, 0, chunk.count);
    const x = await rows.take(hidden, positions, chunk.size);
    const labels = labelsOf(machine, supervision.labels, chunk);
    const grads = Object.fromEntries(
      Object.entries(totals).map(([name, tensor]) => [name.replace('total.', 'grad.'), tensor]),
    );
    await graph.run({ x, labels, seed, ...weights.head(), ...totals }, { loss, ...(dx && { dx }), ...grads });
    losses.set(loss.data.subarray(0, chunk.count), chunk.start);
    if (dx !== undefined && upstream !== undefined)
      await rows[chunk.start === 0 ? 'spread' : 'add'](dx, positions, 1, upstream);
  }
  return losses;
}

function totalsOf({ options, parameters }: Machine): Tensors {
  const { config, adapter } = options;
  const totals: Record<string, Tensor> = {};
  for (const { input, name, ofBase } of headInputs(config, adapter?.config)) {
    const total = ofBase ? undefined : parameters.gradientTensors.get(name);
    if (total !== undefined) totals[`total.${input}`] = total;
  }
  return totals;
}

/** Logits at some positions, `[positions, vocab]`, or over the labels of a classifier. */
export async function headLogits(
  machine: Machine,
  hidden: Tensor,
  positions: readonly number[],
): Promise<Float32Array> {
  if (machine.pieces !== undefined) return logitsInPieces(machine, hidden, positions, machine.pieces);
  const [width = 0] = machine.blueprint.head.output.shape;
  const all = new Float32Array(positions.length * width);
  // generation asks for one position a row, over and over: a single row is not padded
  for (const chunk of chunksOf(positions.length, chunkOf(machine), 1)) {
    const graph = await graphFor(machine, chunk.size, 'logits');
    const logits = machine.host.floats('head.logits', [chunk.size, width]);
    const x = await machine.rows.take(hidden, positionsOf(positions, chunk), chunk.size);
    await graph.run({ x, ...machine.weights.head() }, { logits });
    all.set(logits.data.subarray(0, chunk.count * width), chunk.start * width);
  }
  return all;
}

/** Final norm, logits and loss over chunks of positions, so that the logits of a batch never exist at once. */

import { bytesOf, f32 } from '../../tensor/shape.js';
import type { CompiledGraph, HostTensor, Tensor, Tensors } from '../../tensor/types.js';
import { HEAD } from '../architectures/graphs/head.js';
import { type Chunk, chunksOf, cleared, positionsOf } from './chunks.js';
import type { DecoderContext } from './context.js';
import { dropoutMask, streamOf } from './dropout.js';
import { type HeadRole, headFactors, headGraph, headHalves } from './graphs.js';
import { prepareShards, shardedGradient, shardedLogits, shardedLoss } from './sharded-head.js';
import { outputsOf } from './stack.js';
import { type Seeds, type Supervision, seedsOf } from './supervision.js';
import type { DropoutKey } from './types.js';
import { headInputs } from './weights.js';

/** Tokens whose logits exist at the same time: no more than are taken in one tensor of at most `largest` bytes. */
export const fittingChunk = (
  logitsChunk: number,
  width: number,
  largest: number = Number.POSITIVE_INFINITY,
): number => Math.max(1, Math.min(logitsChunk, Math.floor(largest / bytesOf(f32([width])))));

function chunkOf({ options, blueprint }: DecoderContext): number {
  const [width = 1] = blueprint.head.output.shape;
  return fittingChunk(options.logitsChunk, width, options.runtime.largestTensor);
}

const graphFor = ({ compiled, graphs }: DecoderContext, size: number, role: HeadRole) =>
  compiled.get(`head ${role} ${size}`, () => headGraph(graphs, size, role));

const halfFor = ({ compiled, graphs }: DecoderContext, size: number, half: 'forward' | 'backward') =>
  compiled.get(`head ${half} ${size}`, () => headHalves(graphs, size)[half]);

/**
 * Compiles what {@link headGradient} will run, so that memory is reserved for all graphs of a step at once. `weighs`: its seeds
 * follow from the losses.
 */
export async function prepareHead(context: DecoderContext, count: number, weighs: boolean): Promise<void> {
  if (context.shards !== undefined) return prepareShards(context, count, context.shards);
  const chunks = chunksOf(count, chunkOf(context));
  const halved = weighs && isTrained(context) ? chunks.at(-1) : undefined;
  for (const chunk of chunks)
    if (chunk !== halved) await graphFor(context, chunk.size, 'train');
    else for (const half of ['forward', 'backward'] as const) await halfFor(context, chunk.size, half);
}

function labelsOf(
  { host }: DecoderContext,
  labels: readonly number[],
  { size, start, count }: Chunk,
): HostTensor {
  const tensor = host.tensor('head.labels', { dtype: 'i32', shape: [size] });
  for (let row = 0; row < count; row++) (tensor.data as Int32Array)[row] = labels[start + row] ?? 0;
  return cleared(tensor, count);
}

/** Loss of each supervised position, in nats. */
export async function headLoss(
  context: DecoderContext,
  hidden: Tensor,
  supervision: Supervision,
): Promise<Float32Array> {
  const { shards } = context;
  if (shards !== undefined) return (await shardedLoss(context, hidden, supervision, shards)).losses;
  const losses = new Float32Array(supervision.positions.length);
  for (const chunk of chunksOf(losses.length, chunkOf(context)))
    await lossOfChunk(context, hidden, supervision, { chunk, losses });
  return losses;
}

interface ChunkLosses {
  readonly chunk: Chunk;
  /** Of all positions: those of the chunk are written. */
  readonly losses: Float32Array;
  /** With the dropout of the factors of the head. */
  readonly key?: DropoutKey;
}

async function lossOfChunk(
  context: DecoderContext,
  hidden: Tensor,
  supervision: Supervision,
  { chunk, losses, key }: ChunkLosses,
): Promise<void> {
  const graph = await graphFor(context, chunk.size, key === undefined ? 'loss' : 'dropped');
  const loss = context.host.floats('head.loss', [chunk.size]);
  const x = await context.rows.take(hidden, positionsOf(supervision.positions, chunk), chunk.size);
  const labels = labelsOf(context, supervision.labels, chunk);
  const masks = key && headMask(context, chunk, key);
  await graph.run({ x, labels, ...context.weights.head(), ...masks }, { loss });
  losses.set(loss.data.subarray(0, chunk.count), chunk.start);
}

/** A chunk whose forward pass has run, and what its backward pass reads of that. */
interface KeptChunk {
  readonly x: Tensor;
  readonly saved: Tensors;
}

/** The loss of each supervised position, before any gradient: of the last chunk, products are kept. */
async function keptLosses(
  context: DecoderContext,
  hidden: Tensor,
  supervision: Supervision,
  key: DropoutKey,
): Promise<{ readonly losses: Float32Array; readonly kept: KeptChunk | undefined }> {
  const { host, rows, weights } = context;
  const losses = new Float32Array(supervision.positions.length);
  const chunks = chunksOf(losses.length, chunkOf(context));
  const chunk = chunks.at(-1);
  if (chunk === undefined) return { losses, kept: undefined };
  for (const before of chunks.slice(0, -1))
    await lossOfChunk(context, hidden, supervision, { chunk: before, losses, key });
  const graph = await halfFor(context, chunk.size, 'forward');
  const loss = host.floats('head.loss', [chunk.size]);
  const x = await rows.take(hidden, positionsOf(supervision.positions, chunk), chunk.size);
  const labels = labelsOf(context, supervision.labels, chunk);
  const given = { x, labels, ...weights.head(), ...headMask(context, chunk, key) };
  const { loss: _, ...saved } = outputsOf(
    context,
    graph,
    (name) => (name === 'loss' ? loss : undefined),
    'head',
  );
  await graph.run(inputsOf(graph, given), { loss, ...saved });
  losses.set(loss.data.subarray(0, chunk.count), chunk.start);
  return { losses, kept: { x, saved } };
}

/** What a graph reads of them. */
const inputsOf = ({ graph }: CompiledGraph, tensors: Tensors): Tensors =>
  Object.fromEntries(
    graph.inputs.flatMap(({ name }) => {
      const tensor = tensors[name];
      return tensor === undefined ? [] : [[name, tensor]];
    }),
  );

/** What the factors of the head drop: of each position by its number in the batch, whatever the chunks are. */
function headMask(
  { graphs, options, buffers }: DecoderContext,
  { size, start }: Chunk,
  key: DropoutKey,
): Tensors {
  const rate = headFactors(graphs, true)?.dropout ?? 0;
  if (rate === 0) return {};
  const { hiddenSize, layers } = options.config;
  const name = `dropout.${HEAD}`;
  const mask = buffers.tensor(`head.${name}`, { dtype: 'bool', shape: [size, hiddenSize] });
  options.runtime.memory.write([mask], (data) => {
    for (let row = 0; row < size; row++)
      dropoutMask(
        (data as Uint8Array).subarray(row * hiddenSize, (row + 1) * hiddenSize),
        rate,
        streamOf(key, layers, start + row),
      );
  });
  return { [name]: mask };
}

/**
 * The same with the backward pass: writes the gradient of the losses, times their seeds, into `upstream`, where somebody
 * needs it, and adds the gradients of the head's weights if they are trained.
 */
export async function headGradient(
  context: DecoderContext,
  hidden: Tensor,
  supervision: Supervision,
  seeds: Seeds,
  { upstream, key }: { readonly upstream: Tensor | undefined; readonly key: DropoutKey },
): Promise<Float32Array> {
  const { buffers, host, options, shards, rows, weights } = context;
  if (shards !== undefined) return shardedGradient(context, hidden, supervision, seeds, upstream, shards);
  const totals = totalsOf(context);
  // a position's gradient is in proportion to its seed: it is multiplied later, unless gradients of weights were summed
  const late = typeof seeds !== 'function' || Object.keys(totals).length > 0 ? undefined : upstream;
  const early = late === undefined && typeof seeds === 'function';
  const found = early ? await keptLosses(context, hidden, supervision, key) : undefined;
  const seedOf = late === undefined ? seedsOf(seeds, found?.losses) : () => 1;
  const losses = found?.losses ?? new Float32Array(supervision.positions.length);
  const chunks = chunksOf(losses.length, chunkOf(context));
  const grads = Object.fromEntries(
    Object.entries(totals).map(([name, tensor]) => [name.replace('total.', 'grad.'), tensor]),
  );
  // the last chunk is still there
  for (const [turn, chunk] of (early ? [...chunks].reverse() : chunks).entries()) {
    const kept = turn === 0 ? found?.kept : undefined;
    const graph = await (kept
      ? halfFor(context, chunk.size, 'backward')
      : graphFor(context, chunk.size, 'train'));
    const positions = positionsOf(supervision.positions, chunk);
    const loss = host.floats('head.loss', [chunk.size]);
    const dx = upstream && buffers.floats('head.dx', [chunk.size, options.config.hiddenSize]);
    const seed = cleared(host.floats('head.seed', [chunk.size]), chunk.count);
    for (let row = 0; row < chunk.count; row++) seed.data[row] = seedOf(chunk.start + row);
    const x = kept?.x ?? (await rows.take(hidden, positions, chunk.size));
    const labels = labelsOf(context, supervision.labels, chunk);
    const given = { x, labels, seed, ...weights.head(), ...headMask(context, chunk, key), ...kept?.saved };
    await graph.run(inputsOf(graph, { ...given, ...totals }), {
      ...(kept === undefined && { loss }),
      ...(dx && { dx }),
      ...grads,
    });
    if (!early) losses.set(loss.data.subarray(0, chunk.count), chunk.start);
    if (dx !== undefined && upstream !== undefined)
      await rows[turn === 0 ? 'spread' : 'add'](dx, positions, 1, upstream);
  }
  if (late !== undefined) await multiply(context, late, supervision, seedsOf(seeds, losses));
  return losses;
}

/** Multiplies the gradient of each supervised position. */
async function multiply(
  { rows }: DecoderContext,
  upstream: Tensor,
  { positions }: Supervision,
  seedOf: (index: number) => number,
): Promise<void> {
  const factors = new Float32Array(upstream.type.shape[0] ?? 0);
  for (const [index, position] of positions.entries()) factors[position] = seedOf(index);
  await rows.multiply(upstream, factors);
}

const isTrained = (context: DecoderContext): boolean => Object.keys(totalsOf(context)).length > 0;

function totalsOf({ options, parameters }: DecoderContext): Tensors {
  const { config, adapter } = options;
  const totals: Record<string, Tensor> = {};
  for (const { input, name, ofBase } of headInputs(config, adapter?.config)) {
    const total = ofBase ? undefined : parameters.gradientTensors.get(name);
    if (total !== undefined) totals[`total.${input}`] = total;
  }
  return totals;
}

/** The width of logits: the vocabulary, or the labels of a classifier. */
export const logitsWidth = ({ blueprint }: Pick<DecoderContext, 'blueprint'>): number =>
  blueprint.head.output.shape[0] ?? 0;

/** Logits at some positions, `[positions, vocab]`, or over the labels of a classifier; written into `all`, where that is given. */
export async function headLogits(
  context: DecoderContext,
  hidden: Tensor,
  positions: readonly number[],
  all: Float32Array = new Float32Array(positions.length * logitsWidth(context)),
): Promise<Float32Array> {
  if (context.shards !== undefined) return shardedLogits(context, hidden, positions, context.shards, all);
  const width = logitsWidth(context);
  // generation asks for one position a row, over and over: a single row is not padded
  for (const chunk of chunksOf(positions.length, chunkOf(context), 1)) {
    const graph = await graphFor(context, chunk.size, 'logits');
    const logits = context.host.floats('head.logits', [chunk.size, width]);
    const x = await context.rows.take(hidden, positionsOf(positions, chunk), chunk.size);
    await graph.run({ x, ...context.weights.head() }, { logits });
    all.set(logits.data.subarray(0, chunk.count * width), chunk.start * width);
  }
  return all;
}

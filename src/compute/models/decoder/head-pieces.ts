/**
 * The head over some entries of the vocabulary at a time, where neither its matrix nor the logits of all entries are to be
 * in memory as float32 at once. A loss costs nothing more so; a gradient takes every logit a second time.
 */
import type { HostTensor, Tensor } from '../../tensor/types.js';
import type { HostFloats } from './buffers.js';
import { type Chunk, chunksOf, cleared, positionsOf } from './chunks.js';
import { headPieceGraph, type PieceRole } from './graphs.js';
import type { Machine } from './machine.js';
import type { Supervision } from './supervision.js';
import { PIECE_TOKENS, type Piece } from './vocabulary.js';

const graphFor = ({ compiled, graphs }: Machine, tokens: number, entries: number, role: PieceRole) =>
  compiled.get(`head piece ${role} ${tokens}x${entries}`, () =>
    headPieceGraph(graphs, { tokens, entries }, role),
  );

const chunksFor = (total: number, least?: number): readonly Chunk[] => chunksOf(total, PIECE_TOKENS, least);

/** Compiles what {@link gradientInPieces} will run. */
export async function preparePieces(
  machine: Machine,
  count: number,
  pieces: readonly Piece[],
): Promise<void> {
  const sizes = new Set(pieces.map(({ entries }) => entries));
  for (const { size } of chunksFor(count))
    for (const entries of sizes)
      for (const role of ['loss', 'gradient'] as const) await graphFor(machine, size, entries, role);
}

/** Labels of a chunk counted from the first entry of a piece, and whether they are in it. */
function labelsIn(
  { host }: Machine,
  labels: readonly number[],
  { size, start, count }: Chunk,
  { first, entries }: Piece,
): { readonly tensor: HostTensor; readonly isHere: (row: number) => boolean } {
  const tensor = host.tensor('head.labels', { dtype: 'i32', shape: [size] });
  const data = tensor.data as Int32Array;
  const isHere = (row: number): boolean => {
    const label = labels[start + row] ?? -1;
    return label >= first && label < first + entries;
  };
  for (let row = 0; row < count; row++) data[row] = isHere(row) ? (labels[start + row] ?? 0) - first : 0;
  return { tensor: cleared(tensor, count), isHere };
}

interface Losses {
  /** In nats. */
  readonly losses: Float32Array;
  /** The logarithm of Σ exp over all logits of each position, in float64. */
  readonly totals: Float64Array;
}

/**
 * Loss of each supervised position: the sums of the pieces are put together in float64. This is closer to the exact loss than
 * a float32 sum over a large vocabulary, here and in PyTorch, which loses its smallest terms: 1.9e-5 nats per token with the
 * 262,144 entries of Gemma 3, 5e-6 with the 49,152 of SmolLM2.
 */
export async function lossInPieces(
  machine: Machine,
  hidden: Tensor,
  { positions, labels }: Supervision,
  pieces: readonly Piece[],
): Promise<Losses> {
  const { host, rows, weights } = machine;
  const totals = new Float64Array(positions.length).fill(-Number.MAX_VALUE);
  const ofLabels = new Float64Array(positions.length);
  for (const [index, piece] of pieces.entries()) {
    const tensors = weights.head(index);
    for (const chunk of chunksFor(positions.length)) {
      const graph = await graphFor(machine, chunk.size, piece.entries, 'loss');
      const [label, most, sum] = ['label', 'most', 'sum'].map((name) =>
        host.floats(`head.${name}`, [chunk.size]),
      ) as [HostFloats, HostFloats, HostFloats];
      const x = await rows.take(hidden, positionsOf(positions, chunk), chunk.size);
      const { tensor, isHere } = labelsIn(machine, labels, chunk, piece);
      await graph.run({ x, labels: tensor, ...tensors }, { label, most, sum });
      for (let row = 0; row < chunk.count; row++) {
        const at = chunk.start + row;
        totals[at] = logOfSum(totals[at] ?? 0, (most.data[row] ?? 0) + Math.log(sum.data[row] ?? 0));
        if (isHere(row)) ofLabels[at] = label.data[row] ?? 0;
      }
    }
  }
  return { losses: Float32Array.from(totals, (total, at) => total - (ofLabels[at] ?? 0)), totals };
}

/** log(exp a + exp b) */
const logOfSum = (a: number, b: number): number =>
  a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));

interface Gradient {
  readonly scale: number;
  readonly upstream: Tensor | undefined;
  readonly pieces: readonly Piece[];
}

/** Losses; writes `scale` × the gradient of their sum into `upstream`, where somebody needs it. */
export async function gradientInPieces(
  machine: Machine,
  hidden: Tensor,
  supervision: Supervision,
  { scale, upstream, pieces }: Gradient,
): Promise<Float32Array> {
  const { losses, totals } = await lossInPieces(machine, hidden, supervision, pieces);
  if (upstream === undefined) return losses;
  const { buffers, host, options, rows, weights } = machine;
  let isFirst = true;
  // the last piece is still there
  for (const [index, piece] of [...pieces.entries()].reverse()) {
    const tensors = weights.head(index);
    for (const chunk of chunksFor(losses.length)) {
      const { size, start, count } = chunk;
      const graph = await graphFor(machine, size, piece.entries, 'gradient');
      const positions = positionsOf(supervision.positions, chunk);
      const x = await rows.take(hidden, positions, size);
      const { tensor, isHere } = labelsIn(machine, supervision.labels, chunk, piece);
      const filled = (name: string, of: (row: number) => number) => {
        const floats = host.floats(`head.${name}`, [size]);
        for (let row = 0; row < count; row++) floats.data[row] = of(row);
        return cleared(floats, count);
      };
      const dx = buffers.floats('head.dx', [size, options.config.hiddenSize]);
      await graph.run(
        {
          x,
          labels: tensor,
          seed: filled('seed', () => scale),
          here: filled('here', (row) => (isHere(row) ? scale : 0)),
          total: filled('total', (row) => totals[start + row] ?? 0),
          ...tensors,
        },
        { dx },
      );
      await rows[isFirst ? 'spread' : 'add'](dx, positions, 1, upstream);
      isFirst = false;
    }
  }
  return losses;
}

/** Logits at some positions, `[positions, vocab]`. */
export async function logitsInPieces(
  machine: Machine,
  hidden: Tensor,
  positions: readonly number[],
  pieces: readonly Piece[],
): Promise<Float32Array> {
  const { host, options, rows, weights } = machine;
  const { vocabSize } = options.config;
  const all = new Float32Array(positions.length * vocabSize);
  for (const [index, piece] of pieces.entries()) {
    const tensors = weights.head(index);
    // generation asks for one position a row, over and over: a single row is not padded
    for (const chunk of chunksFor(positions.length, 1)) {
      const graph = await graphFor(machine, chunk.size, piece.entries, 'logits');
      const logits = host.floats('head.logits', [chunk.size, piece.entries]);
      const x = await rows.take(hidden, positionsOf(positions, chunk), chunk.size);
      await graph.run({ x, ...tensors }, { logits });
      for (let row = 0; row < chunk.count; row++)
        all.set(
          logits.data.subarray(row * piece.entries, (row + 1) * piece.entries),
          (chunk.start + row) * vocabSize + piece.first,
        );
    }
  }
  return all;
}

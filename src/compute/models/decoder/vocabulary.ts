/** A vocabulary in pieces: rows of the output matrix that are in memory as float32, with their logits, one piece after the other. */
import { wholeTensor } from '../adapters/whole.js';
import type { ModelConfig } from '../types.js';
import type { DecoderOptions } from './types.js';

/** Tokens at a time: fewer would pack the matrix for little work. */
export const PIECE_TOKENS = 256;

/** Values of the output matrix at a time: 16 MiB as float32. */
const PIECE_VALUES = 2 ** 22;
const ENTRIES_STEP = 64;

/** Entries of a piece, all of about the same size; `undefined` if the whole matrix is not much more than one. */
export function entriesOfPiece({
  vocabSize,
  hiddenSize,
  labels,
}: Pick<ModelConfig, 'vocabSize' | 'hiddenSize' | 'labels'>): number | undefined {
  const pieces = Math.ceil((vocabSize * hiddenSize) / PIECE_VALUES);
  if (pieces < 3 || labels !== undefined) return undefined;
  return Math.ceil(vocabSize / pieces / ENTRIES_STEP) * ENTRIES_STEP;
}

export interface Piece {
  /** Row of the output matrix. */
  readonly first: number;
  readonly entries: number;
}

export function piecesOf(vocabSize: number, entries: number): readonly Piece[] {
  const count = Math.ceil(vocabSize / entries);
  return Array.from({ length: count }, (_, at) => ({
    first: at * entries,
    entries: Math.min(entries, vocabSize - at * entries),
  }));
}

/** What a decoder of these options computes its head in; `undefined`: as a whole. */
export function headPieces({
  runtime,
  config,
  adapter,
  trainable,
  vocabularyShard,
}: DecoderOptions): readonly Piece[] | undefined {
  const isTrained =
    trainable === 'full' ||
    (trainable === 'adapter' && wholeTensor(config, adapter?.config, 'head') !== undefined);
  if (vocabularyShard === undefined || isTrained || !runtime.memory.isHost) return undefined;
  return piecesOf(config.vocabSize, vocabularyShard);
}

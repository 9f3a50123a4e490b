/** Stages that read rows or copy files: no tensors, only a process and what it keeps of each row. */
import type { Peak } from '../types.js';
import { COPY_PROCESS, ROW_PROCESS, TOKENIZER_SHARE } from './calibration.js';
import { peakOf } from './parts.js';

/** A data stage keeps every row's text, its digests and its word triples until all rows are known. */
export function dataPeak(options: {
  readonly bytes: number;
  readonly rows: number;
  readonly near: boolean;
}): Peak {
  const perRow = options.near ? 1600 : 400;
  const held = 2.5 * options.bytes + perRow * options.rows;
  return peakOf(
    { runtime: ROW_PROCESS, workspace: held },
    { below: 0.4 * held + 0.1 * ROW_PROCESS, above: held + 0.2 * ROW_PROCESS },
  );
}

/** A format stage streams: the tokenizer's tables, and the length and place of each row. */
export function formatPeak(options: { readonly rows: number; readonly tokenizerBytes: number }): Peak {
  const tables = TOKENIZER_SHARE * options.tokenizerBytes;
  const held = tables + 150 * options.rows;
  return peakOf(
    { runtime: ROW_PROCESS, workspace: held },
    { below: 0.4 * held + 0.1 * ROW_PROCESS, above: held + 0.2 * ROW_PROCESS },
  );
}

export function copyPeak(): Peak {
  return peakOf({ runtime: COPY_PROCESS }, { below: 0.2 * COPY_PROCESS, above: 0.3 * COPY_PROCESS });
}

/** The rows of a format stage, encoded in their order: here, and in threads next to this one. */
import { setImmediate as turn } from 'node:timers/promises';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { Host } from '../../../language/host/host.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { ownNamesOf } from '../data/sources.js';
import { openResolved } from '../open-models.js';
import { resolveModel } from '../resolve-models.js';
import type { EncoderTask, EncodingThread } from '../stage.js';
import { type BatchEncoder, type EncodedRows, type RowsMemory, rowsMemory } from './encoded-rows.js';
import { openEncoder, type RowEncoder } from './row-encoder.js';

/** The model whose tokenizer and template are used. Throws a `ModelError`. */
export function openTaskModel(host: Host, { stage, folder, inputs }: EncoderTask): ModelFolder {
  const { model } = settingsOf(stage, 'format');
  if (model === undefined) throw new Error(`the format ${stage.name} has no model`);
  return openResolved(host, resolveModel(model, { folder, inputs, host }));
}

/** Throws as {@link openEncoder} does. */
export const openTaskEncoder = (model: ModelFolder, task: EncoderTask): Promise<RowEncoder> =>
  openEncoder(model, settingsOf(task.stage, 'format'), task.stage, {
    numbers: task.numbers,
    own: ownNamesOf(task.data),
    examples: { rows: task.examples },
  });

/** Batches that a thread has at once: one that it works on, and one that it goes on with. */
export const AHEAD = 2;

/** Batches that are in memory at once, next to so many threads. */
export const batchesAtOnce = (threads: number): number => 1 + AHEAD * threads;

type SharedBytes = Uint8Array<SharedArrayBuffer>;

/** A batch in its turn: what it has become, or what is waited for. */
interface Turn<Batch> {
  readonly batch: Batch;
  readonly rows: EncodedRows | (() => Promise<EncodedRows>);
  /** Its lines, where a thread reads them. */
  readonly lines?: SharedBytes;
}

/**
 * What batches of lines become, in their order; each is good until the next is asked for, which takes its memory. Those for which no
 * thread is free are encoded `here`, as are those at which a thread fails: what is wrong with them is then thrown here.
 */
export async function* encoded<Batch extends { readonly lines: Uint8Array }>(
  batches: Iterable<Batch>,
  here: Pick<BatchEncoder, 'encode'>,
  threads: readonly EncodingThread[],
): AsyncGenerator<{ readonly batch: Batch; readonly rows: EncodedRows }> {
  const turns: Turn<Batch>[] = [];
  const most = batchesAtOnce(threads.length);
  const read: SharedBytes[] = [];
  const written: RowsMemory[] = [];
  const encode = (lines: Uint8Array): EncodedRows =>
    here.encode({ lines, memory: written.pop() ?? rowsMemory() });
  const begun = (batch: Batch): Turn<Batch> => {
    const free = threads.find(({ isFree }) => isFree);
    if (free === undefined) return { batch, rows: encode(batch.lines) };
    const lines = shared(batch.lines, read.pop());
    const answer = free.encode({ lines, memory: written.pop() ?? rowsMemory() });
    return { batch, lines, rows: async () => (await answer) ?? encode(lines) };
  };
  async function* first() {
    const { batch, lines, rows: waited } = turns.shift() as Turn<Batch>;
    const rows = typeof waited === 'function' ? await waited() : waited;
    yield { batch, rows };
    written.push(rows.memory);
    if (lines !== undefined) read.push(lines);
  }
  try {
    for (const batch of batches) {
      turns.push(begun(batch));
      // threads that are done meanwhile are heard
      if (threads.length > 0) await turn();
      if (turns.length >= most) yield* first();
    }
    while (turns.length > 0) yield* first();
  } finally {
    for (const thread of threads) await thread.end();
  }
}

/** The bytes where threads read them too: in the memory of earlier ones, where they fit. */
function shared(bytes: Uint8Array, { buffer }: Pick<SharedBytes, 'buffer'> = NO_BYTES): SharedBytes {
  const fits = bytes.length <= buffer.byteLength;
  const room = fits ? buffer : new SharedArrayBuffer(Math.max(bytes.length, 2 * buffer.byteLength));
  const copy = new Uint8Array(room, 0, bytes.length);
  copy.set(bytes);
  return copy;
}

const NO_BYTES = new Uint8Array(new SharedArrayBuffer(0));

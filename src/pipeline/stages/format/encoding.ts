/** The rows of a format stage, encoded in their order: here, and in threads next to this one. */
import { setImmediate as turn } from 'node:timers/promises';
import type { ModelFolder } from '../../../compute/models/load.js';
import type { Host } from '../../../language/host/host.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { ownNamesOf } from '../data/sources.js';
import { openResolved } from '../open-models.js';
import { resolveModel } from '../resolve-models.js';
import type { EncoderTask, EncodingThread } from '../stage.js';
import { type BatchEncoder, type EncodedRows, inOwnMemory } from './encoded-rows.js';
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

/** A batch in its turn: what it has become, or what is waited for. */
type Turn = EncodedRows | (() => Promise<EncodedRows>);

/**
 * What batches of lines become, in their order; each is good until the next is asked for. Those for which no thread is free are
 * encoded `here`, as are those at which a thread fails: what is wrong with them is then thrown here.
 */
export async function* encoded<Batch extends { readonly lines: Uint8Array<ArrayBuffer> }>(
  batches: Iterable<Batch>,
  here: Pick<BatchEncoder, 'encode'>,
  threads: readonly EncodingThread[],
): AsyncGenerator<{ readonly batch: Batch; readonly rows: EncodedRows }> {
  const turns: { readonly batch: Batch; readonly rows: Turn }[] = [];
  const most = 1 + AHEAD * threads.length;
  const first = async () => {
    const { batch, rows } = turns.shift() as (typeof turns)[number];
    return { batch, rows: typeof rows === 'function' ? await rows() : rows };
  };
  const begun = ({ lines }: Batch): Turn => {
    const free = threads.find(({ isFree }) => isFree);
    if (threads.length === 0) return here.encode(lines);
    if (free === undefined) return inOwnMemory(here.encode(lines));
    const own = lines.slice();
    const answer = free.encode(own);
    return async () => (await answer) ?? inOwnMemory(here.encode(own));
  };
  try {
    for (const batch of batches) {
      turns.push({ batch, rows: begun(batch) });
      // threads that are done meanwhile are heard
      if (threads.length > 0) await turn();
      if (turns.length >= most) yield await first();
    }
    while (turns.length > 0) yield await first();
  } finally {
    for (const thread of threads) await thread.end();
  }
}

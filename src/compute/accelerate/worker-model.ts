/** A model that a worker has opened. */
import * as v from 'valibot';
import { generationBatches } from '../evaluation/generation/generate.js';
import { ANSWERED_TOGETHER } from '../evaluation/generation/settings.js';
import type { LanguageModel, Routing, RowsOptions } from '../evaluation/language-model.js';
import { lossBatches, type RowLoss } from '../evaluation/losses.js';
import type { ModelFacts } from '../models/any-model.js';
import type { TokenRows } from '../training/batch.js';
import type { ModelSpec } from './spec.js';
import { answersOf } from './worker-answers.js';
import { LOGITS, LOSSES, type Opened } from './worker-lines.js';
import type { WorkerProcess } from './worker-process.js';

export interface WorkerModel {
  /** What is asked, for people. */
  readonly label: string;
  readonly spec: ModelSpec;
  /** Absolute folder of an adapter of PEFT. */
  readonly adapter?: string;
  /** With the labels of the adapter. */
  readonly facts: ModelFacts;
}

/** Tokens of a batch of losses: as the embedded engine has them, and of a GPU what a part of its memory has room for. */
const BATCH_TOKENS = { least: 512, most: 16384 } as const;
/** Share of the free memory of a device that logits may take, and keys and values. */
const SHARES = { logits: 0.2, cache: 0.4 } as const;
/** Float32 arrays of logits that exist at once. */
const LOGIT_COPIES = 3;

const batchTokens = ({ free, vocabulary }: Opened): number =>
  free === null
    ? BATCH_TOKENS.least
    : Math.max(
        BATCH_TOKENS.least,
        Math.min(BATCH_TOKENS.most, Math.floor((SHARES.logits * free) / (4 * LOGIT_COPIES * vocabulary))),
      );

/** Rows that are answered together at most. */
const MOST_ROWS = { cpu: 32, cuda: 256 } as const;

/** Rows of so many tokens each that keys and values have room for. */
const rowsAt =
  ({ free, device, cache_bytes: bytes }: Opened, { cacheBytes } = ANSWERED_TOGETHER) =>
  (capacity: number): number => {
    const room = free === null ? cacheBytes : SHARES.cache * free;
    return Math.max(1, Math.min(MOST_ROWS[device], Math.floor(room / Math.max(1, bytes * capacity))));
  };

/** Asks about each batch of rows; the next is on its way while one is answered. */
async function overRows<T>(
  { rows, tokens }: { readonly rows: TokenRows; readonly tokens: number },
  { onProgress, signal }: RowsOptions,
  ask: (batch: readonly number[]) => Promise<readonly T[]>,
  take: (row: number, found: T) => void,
): Promise<void> {
  const batches = lossBatches(rows, tokens).map((batch) => [...batch]);
  const asked = (at: number): Promise<readonly T[]> | undefined => {
    const batch = batches[at];
    const answer = batch && ask(batch);
    // it is waited for only after the one before it
    answer?.catch(() => {});
    return answer;
  };
  let next = asked(0);
  let done = 0;
  for (const [at, batch] of batches.entries()) {
    const running = next;
    next = asked(at + 1);
    const found = (await running) ?? [];
    signal?.throwIfAborted();
    for (const [index, row] of batch.entries()) {
      const own = found[index];
      if (own !== undefined) take(row, own);
    }
    done += batch.length;
    onProgress?.(done);
  }
}

export function workerModel(
  worker: WorkerProcess,
  { label, facts }: Pick<WorkerModel, 'label' | 'facts'>,
  opened: Opened,
): LanguageModel {
  const tokens = batchTokens(opened);
  return {
    facts,
    async losses(rows, options) {
      const losses: RowLoss[] = Array.from({ length: rows.count }, () => ({ sum: 0, tokens: 0 }));
      const ask = (batch: readonly number[]) =>
        worker.ask({
          ...{ do: 'loss', label, answer: LOSSES, signal: options.signal },
          fields: { rows: batch.map((row) => listsOf(rows.read(row))), pad_id: options.padId },
        });
      await overRows({ rows, tokens }, options, ask, (row, { sum, tokens: counted }) => {
        losses[row] = { sum: sum ?? Number.NaN, tokens: counted };
      });
      return losses;
    },
    classify(rows, options, take) {
      const ask = (batch: readonly number[]) =>
        worker.ask({
          ...{ do: 'classify', label, answer: LOGITS, signal: options.signal },
          fields: { rows: batch.map((row) => [...rows.read(row).ids]), pad_id: options.padId },
        });
      return overRows({ rows, tokens }, options, ask, (row, logits) => {
        take(row, new Float32Array(logits.map((value) => value ?? Number.NaN)));
      });
    },
    generate(prompts, options) {
      const { maxTokens, together } = options;
      const { maxPositions } = facts;
      const answerable = prompts.flatMap((prompt, row) => (prompt.length < maxPositions ? [row] : []));
      const lengths = answerable.map((row) => prompts[row]?.length ?? 0);
      if (lengths.includes(0)) throw new RangeError('a prompt holds no token');
      const batches = generationBatches(lengths, { maxTokens, maxPositions }, rowsAt(opened, together));
      const rows = batches.map((batch) => batch.rows.map((index) => answerable[index] ?? 0));
      return answersOf(worker, { label, maxPositions, prompts, batches: rows }, options);
    },
    logits: (ids, routing) => logitsOf(worker, label, { ids, routing }),
    // the base stays where it is until another one is opened
    release: async () => {},
  };
}

async function logitsOf(
  worker: WorkerProcess,
  label: string,
  { ids, routing }: { readonly ids: Int32Array; readonly routing: Routing | undefined },
): Promise<Float32Array> {
  const rows: Float32Array[] = [];
  await worker.ask({
    ...{ do: 'logits', label, fields: { ids: [...ids], routing }, answer: v.null() },
    line(said) {
      if ('logits' in said) rows.push(floats(said.logits));
    },
  });
  const width = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) all.set(row, at * width);
  return all;
}

const listsOf = ({ ids, labels }: { readonly ids: Int32Array; readonly labels: Int32Array }) => ({
  ids: [...ids],
  labels: [...labels],
});

function floats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

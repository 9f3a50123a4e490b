/** What the worker (`python -m ftpc_driver worker`) is asked and says, one JSON object per line. */
import * as v from 'valibot';
import { count, finite, type JsonOf } from '../../language/host/json.js';
import { FAULT_KINDS } from './spec.js';

export const WORKER_LINE = v.union([
  v.object({ ready: v.literal(true) }),
  /** Every few seconds; the number grows while work is done. */
  v.object({ alive: count }),
  v.object({ note: v.string() }),
  /** The answer to a request. */
  v.object({ id: count, value: v.unknown() }),
  v.object({
    id: count,
    error: v.object({
      kind: v.picklist([...FAULT_KINDS, 'cancelled']),
      message: v.string(),
      trace: v.optional(v.string()),
    }),
  }),
  /** Before the answer: the row and the next token of each row that is still growing. */
  v.object({ id: count, tokens: v.array(v.tuple([count, count])) }),
  /** Before the answer: float32 logits of one token, little-endian, in base64. */
  v.object({ id: count, logits: v.string() }),
]);
export type WorkerLine = JsonOf<typeof WORKER_LINE>;
export type WorkerFault = Extract<WorkerLine, { readonly error: unknown }>['error'];

export const OPENED = v.object({
  device: v.picklist(['cpu', 'cuda']),
  /** Those that its weights are on. */
  devices: v.array(v.string()),
  /** Bytes of a device that are free once its weights are there; `null` on the CPU. */
  free: v.nullable(count),
  vocabulary: count,
  virtual_tokens: count,
  /** Bytes of keys and values per token. */
  cache_bytes: count,
});
export type Opened = JsonOf<typeof OPENED>;

export const LOSSES = v.array(v.object({ sum: v.nullable(finite), tokens: count }));
/** A value that is no finite number is `null`. */
export const LOGITS = v.array(v.array(v.nullable(finite)));

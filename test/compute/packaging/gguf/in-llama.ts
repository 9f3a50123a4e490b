/** Tiny models as GGUF files, and what llama.cpp computes with them. */
import { writeFileSync } from 'node:fs';
import type { ModelFolder } from '../../../../src/compute/models/load.js';
import type { WeightStore } from '../../../../src/compute/models/types.js';
import { storedRows, writtenGguf } from '../../../../src/compute/packaging/gguf/model.js';
import type { GgufType } from '../../../../src/compute/packaging/gguf/types.js';
import { openLlama } from '../../../../src/compute/serving/llama-cpp/model.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

/** Tokens of one letter, as many as an alphabet has; the others have none. */
export function letterTokenizer(added: readonly object[] = []): string {
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const letters = Array.from({ length: 40 }, (_, id) => [String.fromCharCode(33 + id), id] as const);
  return JSON.stringify({
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: level,
    decoder: level,
    model: { type: 'BPE', vocab: Object.fromEntries(letters), merges: [] },
  });
}

/** Writes a model of a host's folder, with weights from anywhere. Throws a `UserError` for one that llama.cpp does not compute. */
export function writeGguf(
  host: Host,
  path: string,
  model: ModelFolder,
  { weights, type = 'f32', name = 'm' }: { weights: WeightStore; type?: GgufType; name?: string },
): void {
  const file = writtenGguf(host, {
    ...{ type, config: model.config, files: model, origin: { name } },
    source: (tensor) => storedRows(weights, tensor),
  });
  writeFileSync(path, Buffer.concat([...file.chunks()]));
}

export interface LlamaCase {
  readonly path: string;
  readonly lora?: string;
  readonly ids: Int32Array;
  readonly vocabSize: number;
  /** Least: llama.cpp rounds it up to 256. */
  readonly contextTokens?: number;
}

/** Logarithms of the probabilities of all tokens, after each one: `[ids.length, vocabSize]`. */
export async function llamaLogProbabilities({
  ids,
  vocabSize,
  contextTokens = 256,
  ...files
}: LlamaCase): Promise<Float32Array> {
  const llama = await openLlama(nodeHost(), { label: 'm', ...files, contextTokens, rows: 1, threads: 1 });
  const [handles = []] = await llama.step([
    { sequence: 0, position: 0, tokens: Uint32Array.from(ids), logitsAt: [...ids.keys()] },
  ]);
  const found = new Float32Array(ids.length * vocabSize).fill(Number.NaN);
  for (const [at, handle] of handles.entries()) {
    const likeliest = await llama.likeliest(handle, vocabSize);
    likeliest.ids.forEach((id, rank) => {
      found[at * vocabSize + id] = Math.log(likeliest.probabilities[rank] ?? Number.NaN);
    });
  }
  await llama.close();
  return found;
}

/** Of each row of logits. */
export function logProbabilities(logits: Float32Array, vocabSize: number): Float32Array {
  const found = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += vocabSize) {
    const row = logits.subarray(start, start + vocabSize);
    const most = row.reduce((best, logit) => Math.max(best, logit), Number.NEGATIVE_INFINITY);
    const total = most + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
    found.set(
      row.map((logit) => logit - total),
      start,
    );
  }
  return found;
}

/** Largest difference of the first `rows` rows, relative to the largest logit. */
export function logitError(
  found: Float32Array,
  logits: Float32Array,
  { vocabSize, rows = found.length / vocabSize }: { vocabSize: number; rows?: number },
): number {
  const wanted = logProbabilities(logits, vocabSize);
  const largest = logits.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
  let worst = 0;
  for (let i = 0; i < rows * vocabSize; i++) {
    const difference = Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN));
    if (!(difference <= worst)) worst = difference;
  }
  return worst / largest;
}

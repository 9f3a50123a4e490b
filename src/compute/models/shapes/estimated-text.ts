/** What stands in for tokenizer and chat template of a model that is known by its shape alone: lengths are estimated from bytes. */
import type { Host } from '../../../language/host/host.js';
import { compileChatTemplate } from '../chat-template/index.js';
import type { ModelFolder } from '../load.js';
import { readTextFile } from '../read-file.js';
import type { Tokenizer } from '../types.js';

/** Markers such as `<|im_start|>` are one token each. */
const MARKER = /<\|[^|\s]{1,64}\|>/g;

/**
 * Bytes of English text per token, a little fewer than is usual, so that rows are rather planned too long than too short: Llama 2
 * (32,000 tokens) has about 3.8, GPT-2 and SmolLM2 (50,000) about 4.2, Llama 3 and Qwen (128,000 and more) about 4.5.
 */
const BYTES_PER_TOKEN: readonly (readonly [vocabulary: number, bytes: number])[] = [
  [40_000, 3.5],
  [100_000, 3.9],
  [Number.POSITIVE_INFINITY, 4.2],
];

export const bytesPerToken = (vocabSize: number): number =>
  BYTES_PER_TOKEN.find(([most]) => vocabSize <= most)?.[1] ?? 1;

/** Says how many tokens a text has, and nothing of which. */
export function estimatedTokenizer(vocabSize: number): Tokenizer {
  const perToken = bytesPerToken(vocabSize);
  return {
    vocabSize: 0,
    encode(text) {
      const markers = text.match(MARKER)?.length ?? 0;
      const bytes = Buffer.byteLength(text.replace(MARKER, ''));
      return new Int32Array(markers + Math.ceil(bytes / perToken));
    },
    decode: () => '',
    idOf: () => undefined,
    tokenOf: () => undefined,
  };
}

/** The same model; chats have ChatML's markers. */
export function withEstimatedText(host: Host, model: ModelFolder): ModelFolder {
  const path = `${host.packageFolder}/stdlib/chat/chatml.jinja`;
  const tokenizerPath = `${model.path}/tokenizer.json`;
  if (host.stat(tokenizerPath) !== undefined) return model;
  return {
    ...model,
    tokenizer: async () => estimatedTokenizer(model.config.vocabSize),
    template: () =>
      model.template() ??
      compileChatTemplate(
        readTextFile(host, path, { code: 'model_template', maxBytes: 1_000_000 }),
        {},
        path,
      ),
  };
}

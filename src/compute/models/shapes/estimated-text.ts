/** What stands in for tokenizer and chat template of a model that is known by its shape alone: lengths are estimated from bytes. */
import type { Host } from '../../../language/host/host.js';
import type { LoadedTemplate } from '../chat-template/index.js';
import type { ModelFolder } from '../load.js';
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

const bytesPerToken = (vocabSize: number): number =>
  BYTES_PER_TOKEN.find(([most]) => vocabSize <= most)?.[1] ?? 1;

/** Says how many tokens a text has, and nothing of which. */
function estimatedTokenizer(vocabSize: number): Tokenizer {
  const perToken = bytesPerToken(vocabSize);
  return {
    isEstimate: true,
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

/** ChatML, as `stdlib/chat/chatml.jinja` writes it, in a fraction of the time: thousands of rows are rendered for a plan. */
const CHATML: LoadedTemplate = {
  path: 'chatml',
  source: '',
  special: {},
  render: (messages, { addGenerationPrompt = false } = {}) =>
    messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('') +
    (addGenerationPrompt ? '<|im_start|>assistant\n' : ''),
};

/** The same model, with an estimate where its tokenizer is not there. */
export function withEstimatedText(host: Host, model: ModelFolder): ModelFolder {
  if (host.stat(`${model.path}/tokenizer.json`) !== undefined) return model;
  return {
    ...model,
    tokenizer: async () => estimatedTokenizer(model.config.vocabSize),
    template: () => CHATML,
  };
}

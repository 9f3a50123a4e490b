import type { Place } from '../../language/diagnostics/types.js';
import type { Decoder } from '../models/decoder/types.js';
import { classPosition, padIdOf } from '../models/labels.js';
import type { Tokenizer } from '../models/types.js';
import { IGNORED } from '../training/token-rows.js';
import { beginning, checkPrompt } from './chat.js';
import { probabilities } from './classify.js';
import { noNumbers } from './evaluation-diagnostics.js';

export interface Classification {
  /** The likeliest label. */
  readonly label: string;
  /** Of every label, the likeliest first. */
  readonly shares: readonly { readonly label: string; readonly probability: number }[];
}

/** A model that gives texts labels. */
export interface Classifier {
  /** What it was opened from, for people. */
  readonly label: string;
  readonly labels: readonly string[];
  /** Calls must not overlap. Throws a `UserError` for a text that is longer than the model. */
  classify(text: string, at?: Place): Promise<Classification>;
  release(): Promise<void>;
}

export function classifier({
  label,
  decoder,
  tokenizer,
}: {
  readonly label: string;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}): Classifier {
  const { config } = decoder.options;
  const { labels = [] } = config;
  return {
    label,
    labels,
    async classify(text, at) {
      const ids = beginning(tokenizer.encode(text), tokenizer);
      checkPrompt(label, ids, tokenizer, { ...config, maxPositions: config.maxPositions + 1 }, at);
      const marks = new Int32Array(ids.length).fill(IGNORED);
      marks[classPosition(ids, padIdOf(config))] = 0;
      const logits = await decoder.classify({ rows: 1, length: ids.length, ids, labels: marks });
      if (!logits.every(Number.isFinite)) throw noNumbers(label);
      const shares = probabilities(logits)
        .map((probability, number) => ({ label: labels[number] ?? '', probability }))
        .sort((a, b) => b.probability - a.probability);
      return { label: shares[0]?.label ?? '', shares };
    },
    release: () => decoder.release(),
  };
}

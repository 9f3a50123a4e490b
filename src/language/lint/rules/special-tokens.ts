/** Tokens that a base gets with `special_tokens` and `added_tokens`: whether their rows are trained, and whether they are words. */
import { modelUnder } from '../../check/tokenizers.js';
import { insert } from '../../diagnostics/make.js';
import type { Call } from '../../ir/program.js';
import { namesEmbedding } from '../../schemas/stages/train.js';
import { isAdapter, isFromScratch } from '../lineage.js';
import { callAt, declarationOf, expressionOf, valueAt } from '../places.js';
import { each, type Rule } from '../rule.js';

const tokensOf = (base: Call | undefined, argument: string): readonly string[] => {
  const tokens = base?.args[argument];
  return Array.isArray(tokens) ? tokens.map(String) : [];
};

/** Letters and digits, as words of any text are. */
const WORD = /^[\p{L}\p{M}\p{N}\s'-]+$/u;

const quoted = (tokens: readonly string[]): string =>
  tokens.length > 3 ? `${tokens.length} tokens` : tokens.map((token) => `\`${token}\``).join(', ');

export const specialTokenRules: readonly Rule[] = [
  {
    id: 'untrained-tokens',
    code: 'FTP1036',
    level: 'warning',
    doc: 'Tokens are added to a base, and the adapter trains neither embedding nor head.',
    reason:
      'The rows of new tokens begin as the mean of all others, so that they say nothing, and factors of LoRA leave them so: the model learns what comes around a token, and can neither tell it from the others that were added nor write it. PEFT warns of the same when a vocabulary was resized.',
    check: each('train', (checked, pipeline) => {
      const base = modelUnder(checked, pipeline.stages);
      const tokens = ['special_tokens', 'added_tokens'].flatMap((argument) => tokensOf(base, argument));
      if (tokens.length === 0 || !isAdapter(checked) || isFromScratch(checked, pipeline)) return undefined;
      const saved = valueAt(checked, 'lora.modules_to_save');
      if (Array.isArray(saved) && saved.includes('embed_tokens')) return undefined;
      const targets = valueAt(checked, 'lora.targets');
      if (Array.isArray(targets) && targets.some((name) => namesEmbedding(String(name)))) return undefined;
      // an adapter to continue from brings its own modules
      if (valueAt(checked, 'start') !== undefined) return undefined;
      const lora = expressionOf(checked, 'lora');
      const first = lora?.kind === 'record' && saved === undefined ? lora.entries[0] : undefined;
      return {
        at: declarationOf(checked, 'base', pipeline),
        message: `the rows of ${quoted(tokens)} are not trained`,
        label: 'added to the base here',
        help: 'write `modules_to_save: [embed_tokens, lm_head]` in `lora`, or train every weight (`using full`)',
        fixes:
          first === undefined
            ? []
            : [
                {
                  ...insert(
                    'train embedding and head',
                    first.key.span.file,
                    first.key.span.start,
                    'modules_to_save: [embed_tokens, lm_head], ',
                  ),
                  applicability: 'maybe_incorrect',
                },
              ],
      };
    }),
  },
  {
    id: 'token-is-a-word',
    code: 'FTP1037',
    level: 'warning',
    doc: 'A special token that is a word, or a part of words.',
    reason:
      'Special tokens are cut out of every text before it is cut into pieces, in the middle of words too: with `tool` as a token, `toolbox` becomes that token and `box`, and what the base knows of the word is lost. Decoding for people leaves special tokens out.',
    check(pipeline) {
      const seen = new Set<string>();
      return pipeline.of('train').flatMap((checked) => {
        const words = tokensOf(callAt(checked, 'base'), 'special_tokens').filter(
          (token) => WORD.test(token) && !seen.has(token),
        );
        for (const word of words) seen.add(word);
        if (words.length === 0) return [];
        return {
          at: declarationOf(checked, 'base', pipeline),
          message: `${quoted(words)} ${words.length === 1 ? 'is a special token' : 'are special tokens'} and may be in any text`,
          label: 'would be cut out of words',
          help: `use a form that no text has: \`<${words[0]?.trim() || 'name'}>\``,
        };
      });
    },
  },
];

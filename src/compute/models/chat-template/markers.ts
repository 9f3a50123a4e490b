/** The special tokens that a template writes, held against a tokenizer. */
import { type ChatTemplate, ModelError, type Tokenizer } from '../types.js';
import type { LoadedTemplate } from './compile.js';
import { CONFIG } from './read.js';
import { withoutComments } from './source-text.js';

/** A marker as today's chat templates write them: `<|im_start|>`, `<|eot_id|>`. */
const MARKER = /<\|[^<>|\s]{1,64}\|>/g;

/** `{#- special tokens: <|im_start|> <|im_end|> -#}`: a template that says itself which its markers are. */
const DECLARED = /\{#-?\s*special tokens:((?:(?!\{#).)*?)-?#\}/s;

function markersOf(source: string): readonly string[] {
  const declared = DECLARED.exec(source)?.[1];
  return declared === undefined
    ? (withoutComments(source).match(MARKER) ?? [])
    : declared.split(/\s+/).filter((word) => /^<.+>$/.test(word));
}

/**
 * Checks that every special token that a template writes, by itself or by name (`eos_token`), is one id of the
 * tokenizer: `<|im_start|>` in ten pieces would train and run, badly. Markers of other forms are left alone, since
 * `[INST]` is plain text in Llama 2. Throws a {@link ModelError} `model_template` that names the token.
 */
export function checkSpecialTokens(
  tokenizer: Tokenizer,
  template: ChatTemplate & Partial<LoadedTemplate>,
  path = template.path ?? CONFIG,
): void {
  const text = withoutComments(template.source);
  const named = Object.entries(template.special ?? {}).filter(([name]) =>
    new RegExp(`\\b${name}\\b`).test(text),
  );
  for (const token of new Set([...markersOf(template.source), ...named.map(([, content]) => content)])) {
    const { length } = tokenizer.encode(token);
    if (length === 1) continue;
    throw new ModelError(
      'model_template',
      path,
      `The chat template writes ${token}, which the tokenizer splits into ${length} tokens.`,
      `Add ${token} to the tokenizer's special tokens, or use a template that belongs to this model.`,
    );
  }
}

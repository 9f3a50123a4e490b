/**
 * Special tokens that the spaces after them belong to, as Phi-3's: a GGUF file does not say so. llama.cpp takes it from the
 * file's name (`llama-vocab.cpp`, `llama_vocab::impl::load`), and does not load a file of that name without these tokens.
 */
import type { GgufHeader } from './header.js';

const NAMED = /phi-?3/i;

/** Special tokens that spaces after them do not belong to. */
const APART: readonly string[] = ['<unk>', '<s>', '<|endoftext|>'];
/** Those that such a file has. */
const NEEDED: readonly string[] = [...APART, '</s>'];

/** Whether the spaces after a special token belong to it in a file of such a name. */
export const takesSpaces = (token: string): boolean => !APART.includes(token);

/** Whether spaces after special tokens belong to them. */
export function spacesTaken({ values }: GgufHeader): boolean {
  const tokens = values.get('tokenizer.ggml.tokens');
  return (
    NAMED.test(String(values.get('general.name') ?? '')) &&
    Array.isArray(tokens) &&
    NEEDED.every((token) => tokens.includes(token))
  );
}

/** The name of a file so that llama.cpp understands its special tokens. */
export function nameForSpaces(name: string, taken: boolean): string {
  if (!taken) return name.replace(/(phi)-?(3)/gi, '$1 $2');
  return NAMED.test(name) ? name : `${name} (Phi-3)`;
}

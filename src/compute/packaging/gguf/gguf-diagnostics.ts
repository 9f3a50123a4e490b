/** FTP2070…: what a GGUF file has no form for. */
import { userError } from '../../../language/diagnostics/make.js';
import type { Span } from '../../../language/source/span.js';

export const noGguf = (what: string, why: string, at?: Span) =>
  userError('FTP2070', at, `${what} cannot be written as a GGUF file: ${why}`, {
    help: 'use `dtype = f16`, `bf16` or `f32` without `file_format`, which write a Hugging Face folder',
  });

export const noGgufTokenizer = (path: string, why: string, at?: Span) =>
  userError('FTP2071', at, `the tokenizer of ${path} has no form in a GGUF file: ${why}`, {
    help: 'use `dtype = f16`, `bf16` or `f32` without `file_format`, which write a Hugging Face folder with the tokenizer as it is',
  });

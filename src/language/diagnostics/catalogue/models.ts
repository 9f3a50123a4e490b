/** FTP083x, FTP084x: model and adapter files that cannot be used. */
import type { Span } from '../../source/span.js';
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

const CODES = {
  model_not_found: 'FTP0831',
  model_unsupported: 'FTP0832',
  model_config: 'FTP0833',
  model_weights: 'FTP0834',
  model_tokenizer: 'FTP0835',
  model_template: 'FTP0836',
  adapter_invalid: 'FTP0837',
  adapter_mismatch: 'FTP0838',
  gguf_invalid: 'FTP0839',
  gguf_unsupported: 'FTP0840',
  quantised_invalid: 'FTP0841',
} as const;

/**
 * A `ModelError` as a diagnostic; its type is repeated here, since diagnostics cannot import models. Its texts are
 * sentences, messages are not.
 */
export const modelError = (failure: {
  readonly code: keyof typeof CODES;
  readonly path: string;
  readonly detail: string;
  readonly help: string;
}): Diagnostic =>
  error(
    CODES[failure.code],
    { file: failure.path, line: 0, column: 0 },
    `\`${failure.path}\`: ${phrase(failure.detail)}`,
    { help: phrase(failure.help) },
  );

function phrase(sentence: string): string {
  const bare = sentence.replace(/\.$/, '');
  return /^[A-Z][a-z ]/.test(bare) ? `${bare.charAt(0).toLowerCase()}${bare.slice(1)}` : bare;
}

export const ggufMissing = (at: Span, path: string, why: string): Diagnostic =>
  error('FTP0842', at, `the GGUF file \`${path}\` cannot be used`, {
    label: why,
    help: 'download it first, or choose another file; the path is relative to the pipeline file; `node scripts/models/fetch.mjs smollm2 --to FOLDER` in the repository of ftpc downloads a small one',
  });

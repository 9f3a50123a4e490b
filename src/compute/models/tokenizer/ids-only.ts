import type { Host } from '../../../language/host/host.js';
import type { Tokenizer } from '../types.js';
import { readTokenizerFile } from './file.js';

/**
 * What stands in for the tokenizer of a folder without one, such as a model that `save_pretrained` alone has written:
 * rows that are tokens already can be trained on and measured. Ids are shown as `<17>`; no text can be read, which throws
 * the {@link ModelError} of the missing file.
 */
export function idsOnly(host: Host, path: string, vocabSize: number): Tokenizer {
  const shown = (id: number): string => `<${id}>`;
  return {
    idsOnly: true,
    vocabSize,
    encode() {
      readTokenizerFile(host, path);
      throw new Error(`${path} came into being while it was used`);
    },
    decode: (ids) => Array.from(ids, shown).join(''),
    idOf: () => undefined,
    tokenOf: (id) => (id >= 0 && id < vocabSize ? shown(id) : undefined),
  };
}

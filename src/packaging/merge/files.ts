import { readJsonFile } from '../../models/json-file.js';
import type { Host } from '../../source/host.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';

/** Copied from the base byte for byte: whoever loads the merged model must cut texts and render chats as before. */
const COPIED =
  /^(?:tokenizer\.json|tokenizer_config\.json|tokenizer\.model|special_tokens_map\.json|added_tokens\.json|vocab\.json|merges\.txt|chat_template\.jinja|chat_template\.json|generation_config\.json|LICEN[CS]E.*|NOTICE.*|USE_POLICY.*)$/i;

/** Names of the base's files that a merged folder takes over. */
export function copiedFiles(host: Host, base: string): readonly string[] {
  return host
    .list(base)
    .filter((name) => COPIED.test(name) && host.stat(`${base}/${name}`)?.isFolder === false);
}

/** The base's `config.json` with the new dtype, under the name that it has there: `torch_dtype`, or `dtype` since transformers 5. */
export function mergedConfig(host: Host, base: string, dtype: MergeDtype): string {
  const config = readJsonFile(host, `${base}/config.json`, { code: 'model_config', maxBytes: 10_000_000 });
  const fields = ['torch_dtype', 'dtype'].filter((field) => field in config);
  const named = fields.length > 0 ? fields : ['torch_dtype'];
  const changed: Record<string, unknown> = { ...config };
  for (const field of named) changed[field] = mergeDtypes[dtype].torch;
  return `${JSON.stringify(changed, null, 2)}\n`;
}

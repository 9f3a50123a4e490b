import type { Json } from '../../models/json-file.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';

/** The base's `config.json` with the new dtype, under the name that it has there: `torch_dtype`, or `dtype` since transformers 5. `untied`: embedding and head are tensors of their own, which the base may have tied. */
export function mergedConfig(config: Json, dtype: MergeDtype, { untied = false } = {}): string {
  const fields = ['torch_dtype', 'dtype'].filter((field) => field in config);
  const named = fields.length > 0 ? fields : ['torch_dtype'];
  const dtypes = Object.fromEntries(named.map((field) => [field, mergeDtypes[dtype].torch]));
  const ties = untied ? { tie_word_embeddings: false } : {};
  return `${JSON.stringify({ ...config, ...dtypes, ...ties }, null, 2)}\n`;
}

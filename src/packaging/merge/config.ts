import type { Json } from '../../models/json-file.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';

/** The base's `config.json` with the new dtype, under the name that it has there: `torch_dtype`, or `dtype` since transformers 5. */
export function mergedConfig(config: Json, dtype: MergeDtype): string {
  const fields = ['torch_dtype', 'dtype'].filter((field) => field in config);
  const named = fields.length > 0 ? fields : ['torch_dtype'];
  const dtypes = Object.fromEntries(named.map((field) => [field, mergeDtypes[dtype].torch]));
  return `${JSON.stringify({ ...config, ...dtypes }, null, 2)}\n`;
}

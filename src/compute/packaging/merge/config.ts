import type { Json } from '../../../language/host/json.js';
import { configText } from '../../models/config/config-text.js';
import { classifierFields } from '../../models/labels.js';
import type { ModelConfig } from '../../models/types.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';

export interface MergedConfigOptions {
  /** Embedding and head are tensors of their own, which the base may have tied. */
  readonly untied?: boolean;
  /** The base with an adapter that makes a classifier of it, and the id that pads its texts. */
  readonly classifier?: { readonly config: ModelConfig; readonly padId: number };
}

/** The base's `config.json` with the new dtype, under the name that it has there: `torch_dtype`, or `dtype` since transformers 5. */
export function mergedConfig(
  config: Json,
  dtype: MergeDtype,
  { untied = false, classifier }: MergedConfigOptions = {},
): string {
  const fields = ['torch_dtype', 'dtype'].filter((field) => field in config);
  const named = fields.length > 0 ? fields : ['torch_dtype'];
  const dtypes = Object.fromEntries(named.map((field) => [field, mergeDtypes[dtype].torch]));
  const ties = untied ? { tie_word_embeddings: false } : {};
  const classes = classifier === undefined ? {} : classifierFields(classifier.config, classifier.padId);
  return configText({ ...config, ...dtypes, ...ties, ...classes });
}

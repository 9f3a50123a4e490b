/** LLaMA-Factory's files for `export`: an adapter is merged into its base, and nothing is trained. */
import { a, oneOf } from '../foreign.js';
import type { Recipe } from '../recipe.js';
import {
  automatic,
  becomes,
  type ImportContext,
  left,
  revise,
  revised,
  type TranslationTable,
} from '../translation.js';
import { here, none } from './for-recipes.js';
import { BY_ITSELF } from './reasons.js';

const DTYPES = { auto: undefined, float32: 'f32', float16: 'f16', bfloat16: 'bf16' } as const;

export const exporting: TranslationTable<Recipe> = {
  export_dir: becomes('`merge`, where the file has no rows', a.text, (recipe) => {
    recipe.merges = true;
  }),
  infer_dtype: becomes(
    '`dtype` of a merge',
    oneOf('auto', 'float32', 'float16', 'bfloat16'),
    (recipe, name) => {
      recipe.dtype = DTYPES[name];
      return name === 'auto' ? automatic('`dtype` is that of the base') : undefined;
    },
  ),
  export_size: here('weights are in files of at most 5 GB'),
  export_device: here(BY_ITSELF.planner),
  export_legacy_format: none('weights are written as safetensors'),
  export_hub_model_id: none('a `deploy` stage publishes, with `hub("…")` to the Hub'),
};

/** Keys that a merge has, without what they are in. */
const OF_MERGES: ReadonlySet<string> = new Set(
  [
    'model_name_or_path model adapter_name_or_path model_revision export_dir infer_dtype'.split(' '),
    'add_special_tokens new_special_tokens add_tokens'.split(' '),
  ].flat(),
);

/** A file without rows is for the command `export`, and its other settings are of no effect there either. */
export function settleExport(recipe: Recipe, context: ImportContext): void {
  const name = (key: string): string => key.slice(key.lastIndexOf('.') + 1);
  if (recipe.merges !== true || recipe.datasets.length > 0) {
    recipe.merges = false;
    for (const { key } of context.keys) {
      if (name(key) === 'export_dir')
        revise(
          context,
          key,
          left('`merge merged { base = …, adapter = adapter.best }` writes a merged model'),
        );
      if (name(key) === 'infer_dtype') revise(context, key, automatic(BY_ITSELF.generation));
    }
    return;
  }
  // its keys are those of a training that is none
  recipe.method = 'lora';
  recipe.objective = undefined;
  for (const [index, record] of context.keys.entries())
    if (record.status === 'translated' && !OF_MERGES.has(name(record.key)))
      context.keys[index] = revised(record, automatic('nothing is trained'));
}

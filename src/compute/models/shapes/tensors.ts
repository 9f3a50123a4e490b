/** The tensors of a model of which only `config.json` is known. */
import type { Json } from '../../../language/host/json.js';
import type { NamedShape } from '../architectures/blueprint.js';
import { expectedTensors } from '../architectures/index.js';
import { parseConfig } from '../config/index.js';
import { ConfigReader } from '../config/reader.js';
import type { RecipeOf } from './recipe.js';
import { GPT_LIKE } from './recipes-gpt.js';
import { HYBRID } from './recipes-hybrid.js';
import { LLAMA_LIKE } from './recipes-llama.js';
import { LATENT } from './recipes-mla.js';
import { SEEING } from './recipes-vision.js';

const RECIPES: Readonly<Record<string, RecipeOf>> = {
  ...LLAMA_LIKE,
  ...GPT_LIKE,
  ...LATENT,
  ...HYBRID,
  ...SEEING,
};

/**
 * Names and shapes as in the files, but for experts, which are one tensor per block as transformers keeps them. `undefined` for
 * an architecture whose tensors are not known here. Throws a `ModelError` for a config that makes no sense.
 */
export function tensorsOfConfig(json: Json, path: string): readonly NamedShape[] | undefined {
  const config = parseConfig(json, path);
  if (config.foreign === undefined) return expectedTensors(config);
  const recipe = Object.hasOwn(RECIPES, config.foreign.modelType)
    ? RECIPES[config.foreign.modelType]?.(new ConfigReader(json, path))
    : undefined;
  if (recipe === undefined) return undefined;
  const blocks = Array.from({ length: recipe.layers }, (_, layer) =>
    recipe.block(layer).map(({ name, shape }) => ({ name: `${recipe.blocksAt}.${layer}.${name}`, shape })),
  );
  return [...recipe.outer, ...blocks.flat()];
}

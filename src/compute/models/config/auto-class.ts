/** What transformers reads models into that have no causal language model of their own, by their `model_type`. */
const CLASSES: Readonly<Record<string, string>> = { mistral3: 'AutoModelForImageTextToText' };

/** The class of transformers that predicts tokens, from what a `config.json` has as its `model_type`. */
export const causalClass = (modelType: unknown): string =>
  (typeof modelType === 'string' && Object.hasOwn(CLASSES, modelType) ? CLASSES[modelType] : undefined) ??
  'AutoModelForCausalLM';

import { isJson, type Json } from '../../language/host/json.js';

/** Labels by their numbers; `undefined` if a number has none, or two have the same. */
export function labelsIn({ id2label }: Json): readonly string[] | undefined {
  if (!isJson(id2label)) return undefined;
  const labels = Object.keys(id2label).map((_, id) => id2label[String(id)]);
  const named = labels.filter((label) => typeof label === 'string');
  return named.length === labels.length && new Set(named).size === named.length ? named : undefined;
}

/** What transformers calls the problem of a classifier. */
export const CLASSES = 'single_label_classification';

/** One label is a score, which is no class. */
export const problemType = ({ length }: readonly string[]): string => (length === 1 ? 'regression' : CLASSES);

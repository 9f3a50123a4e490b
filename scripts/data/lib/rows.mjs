import { pick } from './order.mjs';

/** A row of the legal data. `wordings` are phrasings of one question, of which the key picks one. */
export function row(kind, licence, wordings, input, output) {
  const instruction = pick(wordings, `${kind}\n${licence.id}\n${input ?? output}`);
  return {
    instruction,
    ...(input === undefined ? {} : { input }),
    output,
    licence: licence.id,
    group: licence.group,
    kind,
  };
}

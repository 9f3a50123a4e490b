import { parseFlat } from '../../../language/host/json.js';
import type { Call } from '../../../language/ir/program.js';
import { isReadFile } from '../../../language/ir/values.js';
import { openSchema } from '../json-schema.js';

/** Whether an answer is what `json_valid` counts; `undefined` where that is not measured. Throws a `UserError` for a bad schema. */
export async function jsonAnswers(
  metrics: readonly Call[],
): Promise<((answer: string) => boolean) | undefined> {
  const metric = metrics.find(({ call }) => call === 'json_valid');
  if (metric === undefined) return undefined;
  const { schema } = metric.args;
  const validate = isReadFile(schema) ? await openSchema(schema) : () => undefined;
  return (answer) => {
    try {
      return validate(parseFlat(answer)) === undefined;
    } catch {
      return false;
    }
  };
}

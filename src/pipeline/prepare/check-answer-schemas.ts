import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Program } from '../../language/ir/program.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';

/** Nobody wants to hear after hours of training that answers are checked against what is no JSON Schema. */
export async function checkAnswerSchemas({ stages }: Program): Promise<readonly Diagnostic[]> {
  const asked = stages.flatMap((stage) =>
    stage.kind === 'eval' ? settingsOf(stage, 'eval').metrics.filter(({ args }) => args['schema']) : [],
  );
  if (asked.length === 0) return [];
  const { jsonAnswers } = await import('../stages/eval/json-answers.js');
  try {
    for (const metric of asked) await jsonAnswers([metric]);
    return [];
  } catch (error) {
    if (error instanceof UserError) return [error.diagnostic];
    throw error;
  }
}

import type { HeldOut } from '../../../compute/evaluation/held-out.js';
import type { Observation } from '../../../compute/evaluation/observe.js';

/** `answers.jsonl`: one object for every row that was answered. */
export function* answerLines(
  rows: readonly number[],
  heldOut: HeldOut,
  own: Observation,
  baseline: Observation | undefined,
): Generator<string> {
  for (const row of rows) {
    const { file, line, prompt, answer: reference, kind } = heldOut.text(row);
    const fields = {
      file,
      line,
      kind,
      prompt,
      reference,
      answer: own.answers.get(row),
      baseline: baseline?.answers.get(row),
      loss: own.losses?.[row],
      baselineLoss: baseline?.losses?.[row],
    };
    yield `${JSON.stringify(fields)}\n`;
  }
}

/** What can go wrong in a train stage, as diagnostics. */
import { UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/program.js';

/** A training over frozen weights that stopped being a number, where that is the fault of one of them. */
export const withNotFinite = ({ diagnostic }: UserError, base: string, tensor: string): UserError =>
  new UserError({
    ...diagnostic,
    notes: [`tensor "${tensor}" of \`${base}\` has values that are not finite`],
    help: 'download the base again, or use one whose weights are finite; weights that overflow in f16 need bf16 or f32',
  });

export function noRows(stage: Stage, split: string, total: number, maxLength: number): UserError {
  return new UserError({
    code: 'FTP0852',
    severity: 'error',
    message:
      total === 0
        ? `stage \`${stage.name}\` has nothing to train on: split \`${split}\` has no rows`
        : `stage \`${stage.name}\` has nothing to train on: all ${total} rows of \`${split}\` are longer than ${maxLength} tokens`,
    at: stage.span,
    help:
      total === 0
        ? 'check the report of the data stage: which rows were dropped, and how they were split'
        : 'raise `max_length` of the format stage or the `min` of `shorten`, or use `overflow = split`',
  });
}

export function tokenOutOfVocabulary(
  stage: Stage,
  found: { readonly id: number; readonly file: string; readonly line: number },
  vocabulary: number,
): UserError {
  return new UserError({
    code: 'FTP0853',
    severity: 'error',
    message: `a row of stage \`${stage.name}\` has token ${found.id}, but its base has only ${vocabulary} tokens`,
    at: { file: found.file, line: found.line, column: 0 },
    help: 'format the rows with the tokenizer of this base: set `model` of the format stage to it',
  });
}

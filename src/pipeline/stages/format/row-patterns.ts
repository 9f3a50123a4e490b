/** Texts of one's own that rows are written with: patterns with columns in braces, or Jinja files. */
import { compileRowTemplate, type SpecialTokens } from '../../../compute/models/chat-template/index.js';
import { ExcessiveTemplateError, ModelError } from '../../../compute/models/types.js';
import type { Call, Value } from '../../../language/ir/program.js';
import { isReadFile } from '../../../language/ir/values.js';
import { PatternFault, parsePattern } from '../../../language/schemas/functions/text-pattern.js';
import type { OwnName } from '../data/column-names.js';
import { kindOf } from '../data/parse-row.js';
import { type Row, type RowPatterns, RowProblem, type WriteRow } from './rendered-row.js';

/** The patterns of `completion(prompt: …, completion: …)`, if it has any. Throws a `ModelError` for a file that is no Jinja. */
export function patternsOf(
  { call, args }: Call,
  special: () => SpecialTokens,
  own: OwnName,
): RowPatterns | undefined {
  const { prompt, completion } = args;
  if (call !== 'completion' || (!isGiven(prompt) && !isGiven(completion))) return undefined;
  return {
    ...(isGiven(prompt) && { prompt: writerOf(prompt, special, own) }),
    completion: writerOf(isGiven(completion) ? completion : '{completion}', special, own),
  };
}

const isGiven = (value: Value | undefined): value is Value => value !== undefined && value !== null;

function writerOf(value: Value, special: () => SpecialTokens, own: OwnName): WriteRow {
  if (isReadFile(value)) {
    const template = compileRowTemplate(value.text, special(), value.file);
    return (row) => told(() => template(row));
  }
  const parts = parsePattern(String(value));
  // the checker has told of it
  if (parts instanceof PatternFault) throw new Error(`the pattern ${parts.detail}`);
  return (row) =>
    parts.map((part) => ('text' in part ? part.text : columnText(row, part.column, own))).join('');
}

function columnText(row: Row, column: string, own: OwnName): string {
  const value = row[column];
  const name = own(column);
  if (value === undefined || value === null) throw new RowProblem('missing_column', `no column \`${name}\``);
  if (typeof value === 'object')
    throw new RowProblem(
      'wrong_type',
      `\`${name}\` is ${kindOf(value)}, which \`{${column}}\` cannot write; a Jinja file can`,
    );
  return String(value);
}

/** What a template refuses is the row's fault. */
function told(write: () => string): string {
  try {
    return write();
  } catch (error) {
    if (error instanceof ModelError && !(error instanceof ExcessiveTemplateError))
      throw new RowProblem('wrong_type', error.detail);
    throw error;
  }
}

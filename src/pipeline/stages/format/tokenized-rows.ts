/** Rows that were tokenized elsewhere, taken as they are: `input_ids` and `labels`. */
import type { Tokenizer } from '../../../compute/models/types.js';
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import type { OwnName } from '../data/column-names.js';
import { kindOf, RowFault } from '../data/parse-row.js';
import { idsOf } from '../data/token-ids.js';
import { type EncodedRow, IGNORED, supervisedIn } from './encode-row.js';
import { type RenderedRow, type Row, RowProblem } from './rendered-row.js';

/**
 * Ids and labels of a row, checked against the vocabulary that the model has rows for. `attention_mask` may say that the
 * end of a row is padding, which is left out; `position_ids` may say that a row holds several texts, which it must not:
 * each would read what is another's. Throws a {@link RowProblem}.
 */
export function takeTokens(
  row: Row,
  vocabulary: number,
  lossOn: FormatSettings['loss_on'],
  own: OwnName,
): EncodedRow {
  const found = idsOf(row, own);
  if (found instanceof RowFault) throw new RowProblem(found.reason, found.detail);
  if (found.labels === undefined && lossOn !== 'all')
    throw new RowProblem('missing_column', `no column \`${own('labels')}\`; \`loss_on = all\` needs none`);
  const length = unpadded(row, found.ids.length, own);
  const ids = Int32Array.from(found.ids.slice(0, length));
  const labels =
    lossOn === 'all' || found.labels === undefined
      ? ids.slice()
      : Int32Array.from(found.labels.slice(0, length));
  known(ids, own('input_ids'), vocabulary);
  known(labels, own('labels'), vocabulary);
  if (lossOn === 'last') labels.fill(IGNORED, 0, lastAnswer(labels).start);
  return { ids, labels, supervised: supervisedIn(labels), promptTokens: lastAnswer(labels).start };
}

function known(values: Int32Array, name: string, vocabulary: number): void {
  const wrong = values.findIndex((value) => value >= vocabulary);
  if (wrong < 0) return;
  const detail = `/${name}/${wrong} is ${values[wrong]}, but the model has only ${vocabulary} tokens`;
  throw new RowProblem('wrong_type', detail);
}

/** Tokens before the padding. */
function unpadded(row: Row, tokens: number, own: OwnName): number {
  const length = unmasked(row['attention_mask'] ?? undefined, tokens, own);
  const positions = row['position_ids'] ?? undefined;
  if (positions === undefined) return length;
  if (!Array.isArray(positions) || !positions.slice(0, length).every((value, at) => value === at))
    throw new RowProblem(
      'wrong_type',
      `/${own('position_ids')} do not count from 0: the row has several texts`,
    );
  return length;
}

/** What a mask may say about a token: whether others see it. */
const VISIBLE: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [1, true],
  [true, true],
  [0, false],
  [false, false],
]);

/** Tokens before the first that is hidden; after it, all must be. */
function unmasked(mask: unknown, tokens: number, own: OwnName): number {
  if (mask === undefined) return tokens;
  const name = `/${own('attention_mask')}`;
  if (!Array.isArray(mask) || mask.length !== tokens)
    throw new RowProblem('wrong_type', `${name} must be a list as long as /${own('input_ids')}`);
  const visible = mask.map((value: unknown, at) => {
    const isVisible = VISIBLE.get(value);
    if (isVisible === undefined)
      throw new RowProblem('wrong_type', `${name}/${at} is ${shownValue(value)}, must be 0 or 1`);
    return isVisible;
  });
  const first = visible.indexOf(false);
  if (first < 0) return tokens;
  if (visible.includes(true, first))
    throw new RowProblem('wrong_type', `${name}/${first} masks a token that other tokens follow`);
  return first;
}

const shownValue = (value: unknown): string => (typeof value === 'number' ? String(value) : kindOf(value));

/** The last run of supervised tokens; empty, at the end, if there is none. */
function lastAnswer(labels: Int32Array): { readonly start: number; readonly end: number } {
  const end = labels.findLastIndex((label) => label !== IGNORED) + 1;
  const start = labels.subarray(0, end).lastIndexOf(IGNORED) + 1;
  return { start, end };
}

/** The row as text, for reports and evaluations. */
export function shownTokens({ ids, labels, promptTokens }: EncodedRow, tokenizer: Tokenizer): RenderedRow {
  const { end } = lastAnswer(labels);
  return {
    text: '',
    answers: [],
    prompt: tokenizer.decode(ids.subarray(0, promptTokens)),
    answer: tokenizer.decode(ids.subarray(promptTokens, end), { skipSpecial: true }),
    begins: false,
    given: [],
  };
}

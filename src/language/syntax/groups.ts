/**
 * Values by indentation, as in YAML: `lora:` with its settings in the lines below, or `metrics:` with dashes. Here a line
 * is a setting, so that each would be a mistake of its own.
 */
import { type IToken, tokenMatcher } from '../../../grammar/chevrotain.js';
import * as t from '../../../grammar/tokens.js';
import type { SourceText } from '../source/text.js';
import { endOf } from './cst.js';

/** Items of a value that is written out in a message and its fix. */
const MOST_ITEMS = 50;

export interface Group {
  /** Index of the token after its last line. */
  readonly end: number;
  readonly last: IToken;
  readonly isList: boolean;
  /** As a list or a record; `undefined` where it holds groups itself, or is long. */
  readonly value: string | undefined;
}

/** The group under the line that begins at `start` and ends, after a sign, at `end`. */
export function groupBelow(
  tokens: readonly IToken[],
  start: number,
  end: number,
  { text }: Pick<SourceText, 'text'>,
): Group | undefined {
  const [head, sign] = [tokens[start], tokens[end - 1]];
  if (head === undefined || sign === undefined || !tokenMatcher(sign, t.Sets)) return undefined;
  const indent = columnOf(head, text);
  const items: string[] = [];
  let isWhole = true;
  let isList = false;
  let last: IToken | undefined;
  let at = end;
  while (tokens[at]?.tokenType === t.Newline) {
    let next = at + 1;
    while (next < tokens.length && tokens[next]?.tokenType !== t.Newline) next++;
    const line = tokens.slice(at + 1, next);
    const [first, second] = line;
    const final = line.at(-1);
    if (first === undefined || final === undefined || columnOf(first, text) < indent) break;
    const isItem = first.tokenType === t.Minus;
    // YAML has the dashes of a list also under its name.
    if (
      !isItem &&
      (columnOf(first, text) === indent || second === undefined || !tokenMatcher(second, t.Sets))
    )
      break;
    const from = isItem ? second : line[2];
    isWhole &&= from !== undefined && isItem === (items.length === 0 ? isItem : isList);
    isList = isItem;
    isWhole &&= items.length < MOST_ITEMS;
    const value = from === undefined ? '' : text.slice(from.startOffset, endOf(final));
    if (isWhole || items.length === 0) items.push(isItem ? value : `${first.image}: ${value}`);
    last = final;
    at = next;
  }
  if (last === undefined) return undefined;
  const joined = items.join(', ');
  return { end: at, last, isList, value: isWhole ? (isList ? `[${joined}]` : `{ ${joined} }`) : undefined };
}

const columnOf = ({ startOffset }: IToken, text: string): number =>
  startOffset - (text.lastIndexOf('\n', startOffset - 1) + 1);

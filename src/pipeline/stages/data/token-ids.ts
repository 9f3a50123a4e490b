/** Rows that were tokenized elsewhere: `input_ids` and `labels`. */

import type { OwnName } from './column-names.js';
import { kindOf, mustBe, type Row, RowFault } from './parse-row.js';

/** A label that no loss counts. */
const IGNORED = -100;

interface TokenIds {
  readonly ids: readonly number[];
  /** `undefined` if the row has none. */
  readonly labels: readonly number[] | undefined;
}

/** Ids and labels of a row, of one length, or what is wrong with them. */
export function idsOf(row: Row, own: OwnName = (usual) => usual): TokenIds | RowFault {
  const ids = idsIn(row, own, 'input_ids');
  if (ids instanceof RowFault) return ids;
  if (ids.length === 0) return new RowFault('empty', `\`${own('input_ids')}\` is empty`);
  if (row['labels'] === undefined || row['labels'] === null) return { ids, labels: undefined };
  const labels = numbers(row, own, 'labels', (label) => label >= 0 || label === IGNORED);
  if (labels instanceof RowFault) return labels;
  if (labels.length !== ids.length)
    return new RowFault(
      'wrong_type',
      `/${own('labels')} has ${labels.length} values, and /${own('input_ids')} has ${ids.length}`,
    );
  return { ids, labels };
}

/** A list of token ids in a column, or what is wrong with it. */
export const idsIn = (row: Row, own: OwnName, usual: string): readonly number[] | RowFault =>
  numbers(row, own, usual, (id) => id >= 0);

function numbers(
  row: Row,
  own: OwnName,
  usual: string,
  isValid: (value: number) => boolean,
): readonly number[] | RowFault {
  const list = row[usual];
  const name = own(usual);
  if (list === undefined || list === null) return new RowFault('missing_column', `no column \`${name}\``);
  if (!Array.isArray(list)) return mustBe(`/${name}`, list, 'a list');
  const wrong = list.findIndex(
    (value) => !Number.isInteger(value) || !isValid(value as number) || value > 0x7fffffff,
  );
  if (wrong < 0) return list as readonly number[];
  const found = typeof list[wrong] === 'number' ? String(list[wrong]) : kindOf(list[wrong]);
  const what = usual === 'labels' ? 'an id or -100' : 'an id';
  return new RowFault('wrong_type', `/${name}/${wrong} is ${found}, must be ${what}`);
}

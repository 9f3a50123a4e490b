/** Rows that were tokenized elsewhere: `input_ids` and `labels`. */
import { Fault, nameOf, type Row } from './parse.js';

/** A label that no loss counts. */
const IGNORED = -100;

export interface Ids {
  readonly ids: readonly number[];
  /** `undefined` where the row has none. */
  readonly labels: readonly number[] | undefined;
}

/** Ids and labels of a row, of one length, or what is wrong with them. */
export function idsOf(row: Row): Ids | Fault {
  const ids = numbers(row, 'input_ids', (id) => id >= 0);
  if (ids instanceof Fault) return ids;
  if (ids.length === 0) return new Fault('empty', '`input_ids` is empty');
  if (row['labels'] === undefined || row['labels'] === null) return { ids, labels: undefined };
  const labels = numbers(row, 'labels', (label) => label >= 0 || label === IGNORED);
  if (labels instanceof Fault) return labels;
  if (labels.length !== ids.length)
    return new Fault('wrong_type', `/labels has ${labels.length} values, and /input_ids has ${ids.length}`);
  return { ids, labels };
}

function numbers(row: Row, name: string, isValid: (value: number) => boolean): readonly number[] | Fault {
  const list = row[name];
  if (list === undefined || list === null) return new Fault('missing_column', `no column \`${name}\``);
  if (!Array.isArray(list)) return new Fault('wrong_type', `/${name} is ${nameOf(list)}, must be a list`);
  const wrong = list.findIndex(
    (value) => !Number.isInteger(value) || !isValid(value as number) || value > 0x7fffffff,
  );
  if (wrong < 0) return list as readonly number[];
  const found = typeof list[wrong] === 'number' ? String(list[wrong]) : nameOf(list[wrong]);
  return new Fault(
    'wrong_type',
    `/${name}/${wrong} is ${found}, must be an id${name === 'labels' ? ' or -100' : ''}`,
  );
}

import type { Cursor } from './cursor.js';
import { choice, type Doc, group, LINE_END, suffix } from './doc.js';

/** An item that ends a line, with the comments after it. `print` and `separator` take their tokens in this order. */
export function endingLine(cursor: Cursor, print: () => Doc, separator: () => Doc): Doc {
  const { start } = cursor.next;
  const printed = print();
  const after = separator();
  const allowance = cursor.allowanceBehind(start);
  if (allowance === undefined) return [printed, after, cursor.commentsAfter()];
  const whereItFits = choice('', suffix(` ${allowance}`));
  return [group([choice([allowance, LINE_END], ''), printed, whereItFits]), after];
}

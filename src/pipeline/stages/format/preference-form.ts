import type { RowRemark } from './fit-row.js';
import type { FormatInfo } from './split-files.js';

/** Pairs or judged answers: what the first row is, all are. */
export class PreferenceForm {
  form: FormatInfo['preferences'];

  /** Why a row is not like those before it, by the number of its answers; other rows have none. */
  add(answers: number | undefined): RowRemark | undefined {
    if (answers === undefined) return undefined;
    const form = answers === 2 ? 'pairs' : 'judged';
    this.form ??= form;
    if (form === this.form) return undefined;
    const [found, others] = form === 'pairs' ? ['two answers', 'one'] : ['one answer', 'two'];
    return { reason: 'wrong_type', detail: `it has ${found}, and the rows before it have ${others}` };
  }
}

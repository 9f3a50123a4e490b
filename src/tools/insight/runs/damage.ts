/** What a reader of a run should know about its journal. */
import { damagedJournal } from '../../../language/diagnostics/catalogue/insight.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Run } from './run.js';

export const damageOf = ({ id, damage }: Run): readonly Diagnostic[] =>
  damage === null ? [] : [damagedJournal(`.ftp/runs/${id}/journal.jsonl`, damage.lines, damage.torn)];

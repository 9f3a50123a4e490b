/** Why a stage runs: what differs from the last time. */
import type { Reason } from '../../language/ir/events.js';
import type { StageRecord } from '../../language/ir/outputs.js';
import { type Difference, differences } from './history.js';
import type { StageKey } from './keys.js';

/** Codes of reasons; `path` names the part. */
export type ReasonCode =
  | 'unchanged'
  | 'checkpoint'
  | 'checkpoint_left'
  | 'first_run'
  | 'output_missing'
  | 'setting_changed'
  | 'setting_added'
  | 'setting_removed'
  | 'file_changed'
  | 'file_added'
  | 'file_removed'
  | 'input_changed'
  | 'input_added'
  | 'input_removed'
  | 'choice_changed'
  | 'runtime_changed'
  | 'definition_changed';

export const reason = (code: ReasonCode, fields: Omit<Reason, 'code'> = {}): Reason => ({ code, ...fields });

/** `earlier`: what it is compared with, if there is anything. */
export function runReasons(
  { key, parts }: StageKey,
  earlier: Pick<StageRecord, 'key' | 'parts'> | undefined,
): readonly Reason[] {
  if (earlier === undefined) return [reason('first_run')];
  if (earlier.key === key) return [reason('output_missing')];
  const found = differences(earlier.parts, parts).map(asReason);
  // order of files, or a part that changed its place
  return found.length === 0 ? [reason('file_changed', { path: 'order of the files' })] : found;
}

function asReason(difference: Difference): Reason {
  const { name, before, after } = difference;
  const [prefix = ''] = name.split(/[.:]/);
  const values = { before: shown(prefix, before), after: shown(prefix, after) };
  const path = prefix === 'file' || prefix === 'stage' ? name.slice(prefix.length + 1) : name;
  return reason(codeOf(prefix, difference), { path, ...values });
}

function codeOf(prefix: string, { before, after }: Difference): ReasonCode {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  if (prefix === 'file') return `file_${change}`;
  if (prefix === 'stage') return `input_${change}`;
  if (prefix === 'chosen') return 'choice_changed';
  if (prefix === 'runtime') return 'runtime_changed';
  return prefix === 'settings' ? `setting_${change}` : 'definition_changed';
}

/** Settings and choices are JSON in the parts; digests and names as they are. */
function shown(prefix: string, value: string | undefined): unknown {
  if (value === undefined || (prefix !== 'settings' && prefix !== 'chosen')) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

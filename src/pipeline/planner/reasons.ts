/** Why a stage runs: what differs from the last time. */

import { valueText } from '../../language/check/value-text.js';
import { parseFlat } from '../../language/host/json.js';
import type { Reason } from '../../language/ir/events.js';
import type { StageRecord } from '../../language/ir/outputs.js';
import type { Value } from '../../language/ir/program.js';
import { type Difference, toldDifferences } from './history.js';
import type { StageKey } from './keys.js';

/** The words of each reason, by its code; `path` names the part. */
const TEXTS = {
  unchanged: () => 'unchanged',
  checkpoint: () => 'resumes from its checkpoint',
  checkpoint_left: ({ before }: Reason) =>
    `does not resume from its checkpoint, which was made with ${value(before)}`,
  first_run: () => 'has not run yet',
  winner_open: ({ path }) => `waits for the winner of ${path}`,
  output_missing: () => 'its output is missing or damaged',
  setting_changed: ({ path, before, after }) => `${short(path)}: ${value(before)} → ${value(after)}`,
  setting_added: ({ path, after }) => `${short(path)} is new: ${value(after)}`,
  setting_removed: ({ path, before }) => `${short(path)} is gone: was ${value(before)}`,
  file_changed: ({ path }) => `${path} changed`,
  file_added: ({ path }) => `${path} is new`,
  file_removed: ({ path }) => `${path} is gone`,
  input_changed: ({ path }) => `${path} differs from last time`,
  input_added: ({ path }) => `reads ${path} now`,
  input_removed: ({ path }) => `no longer reads ${path}`,
  choice_changed: ({ path, before, after }) => `${short(path)}: ${value(before)} → ${value(after)}`,
  runtime_changed: ({ before, after }) => `runtime: ${value(before)} → ${value(after)}`,
  definition_changed: () => 'this version of ftpc makes it differently',
} as const satisfies Readonly<Record<string, (reason: Reason) => string>>;

type ReasonCode = keyof typeof TEXTS;

const short = (path: string | undefined): string => (path ?? '').replace(/^(?:settings|chosen)\./, '');
/** Characters of a value that are shown: a record may hold what nobody could read, or wrap into lines. */
const LONGEST = 2000;

/** As a pipeline would have it; settings that are not set are `none`. */
function value(found: unknown): string {
  const text = typeof found === 'string' ? found : valueText((found ?? null) as Value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

export const reason = (code: ReasonCode, fields: Omit<Reason, 'code'> = {}): Reason => ({ code, ...fields });

/** A stage with a checkpoint under this key goes on from it. */
export const resumed = (key: string): Reason => reason('checkpoint', { path: `.ftp/work/${key}` });

/** `earlier`: what it is compared with, if there is anything. */
export function runReasons(
  { key, parts }: StageKey,
  earlier: Pick<StageRecord, 'key' | 'parts'> | undefined,
): readonly Reason[] {
  if (earlier === undefined) return [reason('first_run')];
  if (earlier.key === key) return [reason('output_missing')];
  const found = toldDifferences(earlier.parts, parts).map(asReason);
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
    return parseFlat(value);
  } catch {
    return value;
  }
}

const isCode = (code: string): code is ReasonCode => Object.hasOwn(TEXTS, code);

export const reasonText = (reason: Reason): string =>
  isCode(reason.code) ? TEXTS[reason.code](reason) : reason.code;

/** At most three; the rest as a number. */
export function reasonsText(reasons: readonly Reason[]): string {
  const shown = reasons.slice(0, 3).map(reasonText);
  const more = reasons.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

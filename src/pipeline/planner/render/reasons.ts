/** Reasons as words. */
import type { Reason } from '../../../language/ir/events.js';
import type { ReasonCode } from '../reasons.js';

const TEXTS: Readonly<Record<ReasonCode, (reason: Reason) => string>> = {
  unchanged: () => 'unchanged',
  checkpoint: () => 'resumes from its checkpoint',
  checkpoint_left: ({ before }) =>
    `does not resume from its checkpoint, which was made with ${value(before)}`,
  first_run: () => 'has not run yet',
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
};

const isCode = (code: string): code is ReasonCode => Object.hasOwn(TEXTS, code);

export const reasonText = (reason: Reason): string =>
  isCode(reason.code) ? TEXTS[reason.code](reason) : reason.code;

/** At most three; the rest as a number. */
export function reasonsText(reasons: readonly Reason[]): string {
  const shown = reasons.slice(0, 3).map(reasonText);
  const more = reasons.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

const short = (path: string | undefined): string => (path ?? '').replace(/^(?:settings|chosen)\./, '');
const value = (found: unknown): string => (typeof found === 'string' ? found : JSON.stringify(found ?? null));

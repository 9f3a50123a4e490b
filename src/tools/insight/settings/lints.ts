/** What the lint rules say about a setting: findings whose place lies in what is written of it. */
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { LintReport } from '../../../language/lint/index.js';
import type { Span } from '../../../language/source/span.js';

export interface SettingLint {
  readonly code: string;
  /** Id of the rule: what `// allow(…)` names. */
  readonly rule: string;
  readonly severity: Diagnostic['severity'];
  readonly message: string;
  readonly help?: string;
  /** The reason that a comment gives for allowing it. */
  readonly allowed?: string;
}

export function lintsIn({ diagnostics, suppressed }: LintReport, span: Span): readonly SettingLint[] {
  const open = diagnostics.map((diagnostic) => ({ diagnostic, allowed: undefined }));
  const allowed = suppressed.map(({ diagnostic, reason }) => ({ diagnostic, allowed: reason }));
  const found = [...open, ...allowed].filter(({ diagnostic }) => isIn(diagnostic.at, span));
  return found.map(({ diagnostic: { code, rule, severity, message, help }, allowed }) => ({
    code,
    rule: rule ?? '',
    severity,
    message,
    ...(help === undefined ? {} : { help }),
    ...(allowed === undefined ? {} : { allowed }),
  }));
}

const isIn = (at: Diagnostic['at'], { file, start, end }: Span): boolean =>
  at !== undefined && 'start' in at && at.file === file && at.start >= start && at.end <= end;

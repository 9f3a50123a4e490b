/** The shape of `check --json` and of `diagnostic` events; its schema is docs/schema/diagnostics.json. */
import type { SourceMap } from '../../source/text.js';
import type { Applicability, Diagnostic, Severity } from '../types.js';
import { type Location, locate, locateSpan } from './locate.js';

export interface DiagnosticJson extends Location {
  readonly code: string;
  readonly severity: Severity;
  /** Of a lint: its id. */
  readonly rule?: string;
  readonly message: string;
  readonly label?: string;
  readonly help?: string;
  readonly notes?: readonly string[];
  readonly related?: readonly (Location & { readonly message: string })[];
  readonly fixes: readonly {
    readonly title: string;
    readonly applicability: Applicability;
    readonly edits: readonly (Location & { readonly text: string })[];
  }[];
}

interface CheckJson {
  readonly version: 1;
  readonly valid: boolean;
  readonly diagnostics: readonly DiagnosticJson[];
}

export function diagnosticJson(diagnostic: Diagnostic, sources: SourceMap): DiagnosticJson {
  const { code, severity, rule, message, label, help, notes, related, fixes } = diagnostic;
  return {
    code,
    severity,
    rule,
    message,
    ...locate(diagnostic, sources),
    label,
    help,
    notes,
    related: related?.map(({ at, message }) => ({ ...locateSpan(at, sources), message })),
    fixes: (fixes ?? []).map(({ title, applicability, edits }) => ({
      title,
      applicability,
      edits: edits.map(({ span, text }) => ({ ...locateSpan(span, sources), text })),
    })),
  };
}

/** What `ftpc check --json` prints. */
export const checkJson = (diagnostics: readonly Diagnostic[], sources: SourceMap): CheckJson => ({
  version: 1,
  valid: diagnostics.every(({ severity }) => severity !== 'error'),
  diagnostics: diagnostics.map((diagnostic) => diagnosticJson(diagnostic, sources)),
});

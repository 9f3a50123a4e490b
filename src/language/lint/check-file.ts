import { type CompileOptions, type CompileResult, compile } from '../compile.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { type Host, lookingOnce } from '../host/host.js';
import type { SourceMap } from '../source/text.js';
import { type LintReport, lintReport } from './lint.js';

export interface CheckResult {
  readonly compiled: CompileResult;
  readonly report: LintReport;
  /** Those of the compilation, then those of the lint rules. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: SourceMap;
}

/** What `ftpc check` does: compiles a file and applies the lint rules. */
export function checkFile(disk: Host, file: string, options: CompileOptions = {}): CheckResult {
  const host = lookingOnce(disk);
  const compiled = compile(host, file, options);
  const report = lintReport(compiled, host);
  return {
    compiled,
    report,
    diagnostics: [...compiled.diagnostics, ...report.diagnostics],
    sources: report.sources,
  };
}

/** What is wrong with each file, over all open pipelines that read it. */
import { COMMAND_LINE } from '../../language/diagnostics/catalogue/params.js';
import { isTestFile } from '../../language/diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { lintReport } from '../../language/lint/index.js';
import type { SourceMap } from '../../language/source/text.js';
import { checkTraining } from '../../pipeline/stages/train/check.js';
import { readTests } from '../pipeline-tests/index.js';
import { type Compilation, pathOf } from './projects.js';
import type { Session } from './session.js';

export interface Finding {
  readonly diagnostic: Diagnostic;
  /** The compilation that found it. */
  readonly compiled: Compilation;
  /** Files that it refers to. */
  readonly sources: SourceMap;
}

interface FileFindings {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: SourceMap;
}

const ofCompilation = new WeakMap<Compilation, FileFindings>();

/** Of the compiler and the linter; looked for once in each compilation. */
function findingsOf(compiled: Compilation): FileFindings {
  const known = ofCompilation.get(compiled);
  if (known !== undefined) return known;
  const findings = isTestFile(compiled.path)
    ? readTests(compiled.host, compiled.path)
    : checkedAndLinted(compiled);
  ofCompilation.set(compiled, findings);
  return findings;
}

function checkedAndLinted(compiled: Compilation): FileFindings {
  const { diagnostics, sources } = lintReport(compiled, compiled.host);
  const models = checkTraining(compiled, compiled.host);
  return { diagnostics: [...compiled.diagnostics, ...diagnostics, ...models], sources };
}

/** By absolute path, each mistake once. */
export function findingsByFile({ open, projects, plans }: Session): ReadonlyMap<string, readonly Finding[]> {
  const byFile = new Map<string, Finding[]>();
  const seen = new Set<string>();
  for (const path of projects.opened()) {
    if (projects.isLibrary(path)) continue;
    const compiled = projects.compiled(path);
    const planned = plans.of(path)?.diagnostics ?? [];
    const { diagnostics, sources } = findingsOf(compiled);
    for (const diagnostic of [...diagnostics, ...planned]) {
      const file = fileOf(diagnostic, compiled, sources);
      const { code, at, message } = diagnostic;
      const place = at !== undefined && 'start' in at ? `${at.start}-${at.end}` : JSON.stringify(at);
      const key = JSON.stringify([file, code, place, message]);
      if (seen.has(key)) continue;
      seen.add(key);
      const list = byFile.get(file) ?? [];
      list.push({ diagnostic, compiled, sources });
      byFile.set(file, list);
    }
  }
  for (const { path } of open.all()) if (!byFile.has(path)) byFile.set(path, []);
  return byFile;
}

/** Where a mistake is shown: what has no place, or one on the command line, in the pipeline's first line. */
function fileOf({ at }: Diagnostic, compiled: Compilation, sources: SourceMap): string {
  if (at === undefined || at.file === COMMAND_LINE) return compiled.path;
  if ('start' in at && !sources.has(at.file)) return compiled.path;
  return pathOf(compiled, at.file);
}

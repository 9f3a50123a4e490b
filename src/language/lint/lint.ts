/**
 * Finds what fine-tuning guides advise against in a compiled pipeline. Files are read through the Host, and only as much
 * of them as takes a few milliseconds, since editors lint at every keystroke.
 */
import { dirname } from 'node:path';
import type { CompileResult } from '../compile.js';
import { insert } from '../diagnostics/make.js';
import type { Diagnostic, Fix, Severity } from '../diagnostics/types.js';
import type { Host } from '../host/host.js';
import type { Span } from '../source/span.js';
import { positionAt, type SourceMap, type SourceText } from '../source/text.js';
import { type Allowance, allowancesOf, unused } from './allowances.js';
import { type Config, configFor } from './config.js';
import { pipelineOf } from './pipeline.js';
import type { Finding, Rule } from './rule.js';
import { rules } from './rules.js';

export interface SuppressedFinding {
  readonly diagnostic: Diagnostic;
  readonly reason: string;
  /** The comment that allows it. */
  readonly by: Span;
}

export interface LintReport {
  /** In the order of the file, after those of `ftpc.json`. */
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: readonly SuppressedFinding[];
  /** The sources of the compilation, and `ftpc.json`, for rendering. */
  readonly sources: SourceMap;
}

/** What `ftpc check` adds to the diagnostics of a compilation; stages with errors are skipped. */
export function lintReport(result: CompileResult, host: Host): LintReport {
  const { analysis, sources } = result;
  if (analysis === undefined) return { diagnostics: [], suppressed: [], sources };
  const config = configFor(dirname(analysis.main.path), host);
  const { source, tree } = analysis.main;
  const { allowances, diagnostics } = allowancesOf(tree, source);
  const pipeline = pipelineOf(result, analysis, host);
  const findings = rules.flatMap((rule) => {
    const level = config.levels.get(rule.id) ?? rule.level;
    return level === 'off'
      ? []
      : rule.check(pipeline).map((found) => diagnosticOf(found, rule, level, source));
  });
  const used = new Map<Allowance, Set<string>>();
  const { open, suppressed } = sift(once(findings), allowances, used);
  // With errors, a rule may find nothing because a stage is missing.
  const idle = pipeline.isWhole ? unusedOf(allowances, used, config, source) : [];
  return {
    diagnostics: [...config.diagnostics, ...[...open, ...diagnostics, ...idle].sort(inOrder)],
    suppressed,
    sources:
      config.source === undefined ? sources : new Map([...sources, [config.source.file, config.source]]),
  };
}

function diagnosticOf(finding: Finding, rule: Rule, severity: Severity, source: SourceText): Diagnostic {
  const fixes = [...(finding.fixes ?? []), allow(finding.at, rule.id, source)];
  return { code: rule.code, severity, rule: rule.id, ...finding, fixes };
}

/** A fix that allows the finding with a comment; the author has to write the reason. */
function allow(at: Span, id: string, source: SourceText): Fix {
  const { line } = positionAt(source, at.start);
  const start = source.lineStarts[line - 1] ?? 0;
  const indent = /^[ \t]*/.exec(source.text.slice(start))?.[0] ?? '';
  return {
    ...insert(
      `allow \`${id}\` here, with a reason`,
      at.file,
      start,
      `${indent}// allow(${id}): why it is right here\n`,
    ),
    applicability: 'has_placeholders',
  };
}

/** The stages of a matrix have the same finding: it is reported once. */
function once(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return findings.filter(({ code, at, message }) => {
    const before = seen.size;
    return seen.add(JSON.stringify([code, at, message])).size > before;
  });
}

function sift(
  findings: readonly Diagnostic[],
  allowances: readonly Allowance[],
  used: Map<Allowance, Set<string>>,
) {
  const suppressed: SuppressedFinding[] = [];
  const open = findings.filter((diagnostic) => {
    const { rule = '' } = diagnostic;
    const start = startOf(diagnostic);
    const by = allowances.filter(
      ({ covers, rules }) =>
        rules.some(({ id }) => id === rule) && start >= covers.start && start < covers.end,
    );
    // The innermost one applies; those around it still count as used.
    for (const allowance of by) used.set(allowance, (used.get(allowance) ?? new Set()).add(rule));
    const [own] = [...by].sort((a, b) => b.covers.start - a.covers.start);
    if (own === undefined) return true;
    suppressed.push({ diagnostic, reason: own.reason, by: own.comment.span });
    return false;
  });
  return { open, suppressed };
}

function unusedOf(
  allowances: readonly Allowance[],
  used: ReadonlyMap<Allowance, ReadonlySet<string>>,
  { levels }: Config,
  source: SourceText,
): readonly Diagnostic[] {
  return allowances.flatMap((allowance) =>
    allowance.rules.flatMap(({ id }, index) => {
      const isOff = (levels.get(id) ?? rules.find((rule) => rule.id === id)?.level) === 'off';
      return isOff || used.get(allowance)?.has(id) === true ? [] : [unused(allowance, index, source)];
    }),
  );
}

const startOf = ({ at }: Diagnostic): number => (at !== undefined && 'start' in at ? at.start : 0);

const inOrder = (a: Diagnostic, b: Diagnostic): number =>
  startOf(a) - startOf(b) || (a.code < b.code ? -1 : 1);

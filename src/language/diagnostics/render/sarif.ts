/**
 * SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. Columns count
 * UTF-16 units from 1, as ours do, and the end of a region is exclusive.
 */
import type * as Sarif from 'sarif';
import type { Span } from '../../source/span.js';
import type { SourceMap } from '../../source/text.js';
import type { Diagnostic, Fix, Severity } from '../types.js';
import { type Location, locate, locateSpan } from './locate.js';

/** What a log contains about a code. */
export interface SarifRule {
  readonly code: string;
  /** Id of a lint rule. */
  readonly id?: string;
  readonly title: string;
  /** Markdown. */
  readonly page: string;
  readonly level?: Severity;
}

interface SarifInput {
  readonly version: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Findings that a comment allows. */
  readonly suppressed: readonly {
    readonly diagnostic: Diagnostic;
    readonly reason: string;
    readonly by: Span;
  }[];
  readonly sources: SourceMap;
  /** The rule of a code that occurs. */
  readonly rule: (code: string) => SarifRule;
  /** `file:///…/` of the working directory, for relative paths. */
  readonly root: string;
}

/** The name that code scanning has for the root of the repository. */
const ROOT = '%SRCROOT%';

const LEVELS: Readonly<Record<Severity, Sarif.ReportingConfiguration.level>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

export function sarifLog(input: SarifInput): Sarif.Log {
  const { version, diagnostics, suppressed, sources, rule, root } = input;
  const all = [...diagnostics, ...suppressed.map(({ diagnostic }) => diagnostic)];
  const codes = [...new Set(all.map(({ code }) => code))].sort();
  const result = (diagnostic: Diagnostic, suppressions: Sarif.Suppression[]): Sarif.Result => ({
    ruleId: diagnostic.code,
    ruleIndex: codes.indexOf(diagnostic.code),
    level: LEVELS[diagnostic.severity],
    message: { text: textOf(diagnostic) },
    locations: placesOf(diagnostic, sources),
    ...othersOf(diagnostic, sources),
    ...fixesOf(diagnostic, sources),
    suppressions,
  });
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'ftpc',
            semanticVersion: version,
            rules: codes.map((code) => descriptor(rule(code))),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { [ROOT]: { uri: root } },
        results: [
          ...diagnostics.map((found) => result(found, [])),
          ...suppressed.map(({ diagnostic, reason, by }) =>
            result(diagnostic, [
              {
                kind: 'inSource',
                location: physical(locateSpan(by, sources)),
                ...(reason === '' ? {} : { justification: reason }),
              },
            ]),
          ),
        ],
      },
    ],
  };
}

const descriptor = ({ code, id, title, page, level }: SarifRule): Sarif.ReportingDescriptor => ({
  id: code,
  ...(id === undefined ? {} : { name: id }),
  shortDescription: { text: title },
  // The part before the example, for viewers without Markdown.
  help: { text: page.split('\n## ')[0]?.trim() || title, markdown: page },
  ...(level === undefined ? {} : { defaultConfiguration: { level: LEVELS[level] } }),
});

/** Code scanning shows only the message, so it includes notes and help. */
const textOf = ({ message, notes, help }: Diagnostic): string =>
  [message, ...(notes ?? []), ...(help === undefined ? [] : [`help: ${help}`])].join('\n');

/** None for a diagnostic about the command line or the machine. */
function placesOf(diagnostic: Diagnostic, sources: SourceMap): Sarif.Location[] {
  const found = locate(diagnostic, sources);
  return found.file === '' || found.file.startsWith('<') ? [] : [physical(found)];
}

function othersOf({ related = [] }: Diagnostic, sources: SourceMap): Pick<Sarif.Result, 'relatedLocations'> {
  if (related.length === 0) return {};
  return {
    relatedLocations: related.map(({ at, message }, id) => ({
      id,
      message: { text: message },
      ...physical(locateSpan(at, sources)),
    })),
  };
}

/** Without fixes that have placeholders. */
function fixesOf({ fixes = [] }: Diagnostic, sources: SourceMap): Pick<Sarif.Result, 'fixes'> {
  const whole = fixes.filter(({ applicability }) => applicability !== 'has_placeholders');
  return whole.length === 0 ? {} : { fixes: whole.map((fix) => fixOf(fix, sources)) };
}

const physical = (found: Location): Sarif.Location => ({
  physicalLocation: {
    artifactLocation: artifact(found.file),
    ...(found.line === 0 ? {} : { region: region(found) }),
  },
});

const region = ({ line, column, endLine, endColumn }: Location): Sarif.Region => ({
  startLine: line,
  ...(column === 0 ? {} : { startColumn: column, endLine, endColumn }),
});

/** Relative to the working directory; an absolute path is a URI of its own. */
function artifact(file: string): Sarif.ArtifactLocation {
  const path = file.split(/[\\/]/).map(encodeURIComponent).join('/');
  return file.startsWith('/') ? { uri: `file://${path}` } : { uri: path, uriBaseId: ROOT };
}

function fixOf({ title, edits }: Fix, sources: SourceMap): Sarif.Fix {
  const files = [...new Set(edits.map(({ span }) => span.file))];
  return {
    description: { text: title },
    artifactChanges: files.map((file) => ({
      artifactLocation: artifact(file),
      replacements: edits
        .filter(({ span }) => span.file === file)
        .map(({ span, text }) => ({
          deletedRegion: region(locateSpan(span, sources)),
          ...(text === '' ? {} : { insertedContent: { text } }),
        })),
    })),
  };
}

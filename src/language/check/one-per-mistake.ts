/** One mistake, one error: what follows from a syntax error is left out, and the rest is put in order. */
import { type NotImported, notImported } from '../diagnostics/catalogue/names.js';
import { type Diagnostic, isError } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import { positionAt, type SourceMap } from '../source/text.js';
import type { SourceFile } from '../syntax/ast.js';

/** Errors that say that something is not there: after a syntax error it may only not have been read. */
const ABSENCE = new Set([
  'FTP0201',
  'FTP0210',
  'FTP0211',
  'FTP0212',
  'FTP0311',
  'FTP0404',
  'FTP0406',
  'FTP0407',
  'FTP0408',
  'FTP2203',
]);

/** Syntax errors after which the rest of their line may have been misread. */
const MISREAD = new Set(['FTP0101', 'FTP0107', 'FTP0108', 'FTP0109', 'FTP0110', 'FTP0111', 'FTP0113']);

/** Errors that are the same mistake wherever they are met: a name is missing once. */
const ONCE = new Set(['FTP0201', 'FTP0210', 'FTP0211', 'FTP0212', 'FTP0407']);

const spanOf = ({ at }: Diagnostic): Span | undefined => (at !== undefined && 'start' in at ? at : undefined);

const placeKey = (span: Span | undefined): string => (span === undefined ? '' : `${span.file}:${span.start}`);

export function onePerMistake(
  syntax: readonly Diagnostic[],
  checks: readonly Diagnostic[],
  tree: SourceFile,
  sources: SourceMap,
): readonly Diagnostic[] {
  const broken = [...tree.blocks, ...tree.presets, ...tree.machines, ...tree.tests].filter(
    (block) => block.broken,
  );
  // a warning explains no error: left out, there would be a program without what is wrong
  const blamed = new Set(syntax.filter(isError).map((diagnostic) => placeKey(spanOf(diagnostic))));
  const misread = new Set(
    syntax.filter(({ code }) => MISREAD.has(code)).map((found) => lineKey(found, sources)),
  );
  const certain = checks.filter((diagnostic) => {
    const span = spanOf(diagnostic);
    if (span !== undefined && (blamed.has(placeKey(span)) || misread.has(lineKey(diagnostic, sources))))
      return false;
    if (span === undefined || span.file !== tree.file || !tree.broken) return true;
    if (ABSENCE.has(diagnostic.code)) return false;
    return !broken.some((block) => span.start >= block.span.start && span.start <= block.span.end);
  });
  // What is wrong with the arguments of a function that does not exist will be seen when it does.
  const unknown = new Set(
    certain.filter(({ code }) => code === 'FTP0211').map((found) => lineKey(found, sources)),
  );
  const kept = syntax.filter((found) => found.code !== 'FTP0112' || !unknown.has(lineKey(found, sources)));
  const seen = new Set<string>();
  const found = [...kept, ...certain].sort(inOrder).filter((diagnostic) => {
    const span = spanOf(diagnostic);
    const place = ONCE.has(diagnostic.code) ? span?.file : diagnostic.at;
    const key = JSON.stringify([diagnostic.code, place, diagnostic.message]);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
  return importedTogether(found);
}

const isNotImported = (diagnostic: Diagnostic | NotImported): diagnostic is NotImported =>
  'missing' in diagnostic;

/** Names of one module that are not imported are one import that is missing. */
function importedTogether(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const groups = new Map<string, NotImported[]>();
  const groupOf = ({ missing: { module }, at }: NotImported): string => `${at?.file}\n${module}`;
  for (const one of found.filter(isNotImported))
    groups.set(groupOf(one), [...(groups.get(groupOf(one)) ?? []), one]);
  return found.flatMap((one) => {
    if (!isNotImported(one)) return [one];
    const [first, ...others] = groups.get(groupOf(one)) ?? [];
    if (one !== first) return [];
    const [name, ...names] = first.missing.names;
    const more = others.flatMap(({ missing }) => missing.names);
    const { missing: _, ...together } = notImported({ ...first.missing, names: [name, ...names, ...more] });
    return [together];
  });
}

function lineKey({ at }: Diagnostic, sources: SourceMap): string {
  const source = at === undefined ? undefined : sources.get(at.file);
  if (at === undefined || source === undefined || !('start' in at)) return '';
  return `${at.file}:${positionAt(source, at.start).line}`;
}

function inOrder(a: Diagnostic, b: Diagnostic): number {
  const [left, right] = [spanOf(a), spanOf(b)];
  if (left === undefined || right === undefined)
    return Number(left !== undefined) - Number(right !== undefined) || inOrderOfPlaces(a, b);
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.start - right.start;
}

/** Those that are in a file which is no source: they come first. */
function inOrderOfPlaces({ at: a }: Diagnostic, { at: b }: Diagnostic): number {
  if (a === undefined || b === undefined || 'start' in a || 'start' in b) return 0;
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

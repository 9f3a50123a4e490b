/** Diagnostics for people, after rustc: message, place, the line with the marked text, notes and help. */
import { lineText, type SourceMap } from '../../source/text.js';
import type { Diagnostic, Severity } from '../types.js';
import { type Location, locate, locateSpan } from './locate.js';

type Paint = (text: string) => string;

/** How to colour; picocolors' `createColors()` is one. */
export interface Palette {
  readonly red: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly cyan: Paint;
  readonly green: Paint;
  readonly bold: Paint;
  readonly dim: Paint;
}

const same: Paint = (text) => text;
export const plain: Palette = {
  red: same,
  yellow: same,
  blue: same,
  cyan: same,
  green: same,
  bold: same,
  dim: same,
};

const PAINT: Readonly<Record<Severity, keyof Palette>> = { error: 'red', warning: 'yellow', info: 'cyan' };

/** Longest part of a line that is shown: a minified line must not fill the screen. */
const WIDEST = 160;

export function prettyDiagnostic(
  diagnostic: Diagnostic,
  sources: SourceMap,
  palette: Palette = plain,
): string {
  const paint = palette[PAINT[diagnostic.severity]];
  const location = locate(diagnostic, sources);
  const related = (diagnostic.related ?? []).map(({ at, message }) => ({
    message,
    location: locateSpan(at, sources),
  }));
  const gutter = ' '.repeat(
    `${Math.max(location.line, ...related.map(({ location }) => location.line))}`.length,
  );
  const lines = [
    `${palette.bold(paint(`${diagnostic.severity}[${diagnostic.code}]`))}${palette.bold(`: ${clean(diagnostic.message)}`)}`,
  ];
  if (location.file !== '') lines.push(`${gutter}${palette.blue('-->')} ${placeText(location)}`);
  lines.push(...snippet(location, diagnostic.label, '^', gutter, sources, paint, palette));
  for (const { location: other, message } of related) {
    if (other.file !== location.file) lines.push(`${gutter}${palette.blue(':::')} ${placeText(other)}`);
    lines.push(...snippet(other, message, '-', gutter, sources, palette.blue, palette));
  }
  for (const note of diagnostic.notes ?? []) lines.push(...remark('note', note, gutter, palette));
  if (diagnostic.help !== undefined) lines.push(...remark('help', diagnostic.help, gutter, palette));
  else if (diagnostic.fixes?.[0] !== undefined)
    lines.push(...remark('help', diagnostic.fixes[0].title, gutter, palette));
  if (diagnostic.rule !== undefined) lines.push(...remark('rule', diagnostic.rule, gutter, palette));
  return lines.join('\n');
}

/** `3 errors, 1 warning`, or an empty string. */
export function countText(diagnostics: readonly Diagnostic[]): string {
  return (['error', 'warning'] as const)
    .map((severity) => ({
      severity,
      count: diagnostics.filter((found) => found.severity === severity).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}${count === 1 ? '' : 's'}`)
    .join(', ');
}

const placeText = ({ file, line, column }: Location): string =>
  line === 0 ? file : column === 0 ? `${file}:${line}` : `${file}:${line}:${column}`;

function snippet(
  location: Location,
  label: string | undefined,
  mark: string,
  gutter: string,
  sources: SourceMap,
  paint: Paint,
  palette: Palette,
): readonly string[] {
  const source = sources.get(location.file);
  if (source === undefined || location.line === 0) return [];
  const text = lineText(source, location.line);
  const end = location.endLine === location.line ? location.endColumn : text.length + 1;
  const from = Math.max(0, Math.min(location.column - 1 - WIDEST / 2, text.length - WIDEST));
  const shown = expandTabs(text.slice(from, from + WIDEST));
  const before = expandTabs(text.slice(from, location.column - 1));
  const marked = expandTabs(text.slice(location.column - 1, Math.min(end - 1, from + WIDEST)));
  const marks = mark.repeat(Math.max(1, marked.length));
  const number = `${location.line}`.padStart(gutter.length);
  return [
    `${palette.blue(`${number} |`)} ${clean(shown)}`,
    `${palette.blue(`${gutter} |`)} ${' '.repeat(before.length)}${paint(marks)}${label === undefined ? '' : ` ${paint(clean(label))}`}`,
  ];
}

function remark(
  kind: 'note' | 'help' | 'rule',
  text: string,
  gutter: string,
  palette: Palette,
): readonly string[] {
  const [first, ...rest] = text.split('\n');
  return [
    `${gutter} ${palette.blue('=')} ${palette.bold(`${kind}:`)} ${clean(first ?? '')}`,
    ...rest.map((line) => `${gutter}         ${clean(line)}`),
  ];
}

const expandTabs = (text: string): string => text.replace(/\t/g, '    ');

/** A file's text must not drive the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
const clean = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');

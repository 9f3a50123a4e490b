/** Diagnostics as text, like rustc's: message, place, the line with the marked text, notes and help. */
import { lineText, type SourceMap } from '../../source/text.js';
import { counted } from '../make.js';
import type { Diagnostic, Severity } from '../types.js';
import { harmless } from './clean.js';
import { excerpt, wrapped } from './excerpt.js';
import { type Location, locate, locateSpan } from './locate.js';
import { displayWidth } from './width.js';

type Paint = (text: string) => string;

/** Colours; picocolors' `createColors()` is one. */
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

/** Columns of a source line that are shown at most: a minified line must not fill the screen. */
const WIDEST = 160;
const NARROWEST = 40;
/** Characters of a sentence that are shown at most: a value in it may have millions. */
const LONGEST = 4000;

const shown = (text: string): string => harmless(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** Layout of one diagnostic. */
interface Page {
  readonly sources: SourceMap;
  readonly palette: Palette;
  /** Spaces as wide as the line numbers. */
  readonly gutter: string;
  /** Columns available for a source line. */
  readonly columns: number;
  /** Columns of the terminal; without a terminal, lines are not broken. */
  readonly width: number;
}

/** `width`: columns of the terminal, if there is one. */
export function prettyDiagnostic(
  diagnostic: Diagnostic,
  sources: SourceMap,
  palette: Palette = plain,
  width: number = Number.POSITIVE_INFINITY,
): string {
  const { severity, code, message, label, notes, help, fixes, rule } = diagnostic;
  const paint = palette[PAINT[severity]];
  const location = locate(diagnostic, sources);
  const related = (diagnostic.related ?? []).map(({ at, message }) => ({
    message,
    location: locateSpan(at, sources),
  }));
  const digits = `${Math.max(location.line, ...related.map(({ location }) => location.line))}`.length;
  const page: Page = {
    sources,
    palette,
    gutter: ' '.repeat(digits),
    columns: Math.min(WIDEST, Math.max(NARROWEST, width) - digits - 3),
    width: Math.max(NARROWEST, width),
  };
  return [
    ...heading(`${severity}[${code}]`, message, paint, page),
    ...(location.file === '' ? [] : [`${page.gutter}${palette.blue('-->')} ${placeText(location)}`]),
    ...snippet(location, label, '^', paint, page),
    ...related.flatMap(({ location: other, message }) => [
      ...(other.file === location.file ? [] : [`${page.gutter}${palette.blue(':::')} ${placeText(other)}`]),
      ...snippet(other, message, '-', palette.blue, page),
    ]),
    ...(notes ?? []).flatMap((note) => remark('note', note, page)),
    ...remark('help', help ?? fixes?.[0]?.title, page),
    ...remark('rule', rule, page),
  ].join('\n');
}

/** `3 errors, 1 warning`, or an empty string. */
export function countText(diagnostics: readonly Diagnostic[]): string {
  return (['error', 'warning'] as const)
    .map((severity) => ({
      severity,
      count: diagnostics.filter((found) => found.severity === severity).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => counted(count, severity))
    .join(', ');
}

/** A long message continues below its first word. */
function heading(title: string, message: string, paint: Paint, { palette, width }: Page): readonly string[] {
  const indent = title.length + 2;
  const [first = '', ...rest] = wrapped(shown(message), Math.max(NARROWEST / 2, width - indent));
  return [
    `${palette.bold(paint(title))}${palette.bold(`: ${first}`)}`,
    ...rest.map((line) => `${' '.repeat(indent)}${palette.bold(line)}`),
  ];
}

const placeText = ({ file, line, column }: Location): string =>
  harmless(line === 0 ? file : column === 0 ? `${file}:${line}` : `${file}:${line}:${column}`);

function snippet(
  location: Location,
  label: string | undefined,
  mark: string,
  paint: Paint,
  { sources, palette, gutter, columns, width }: Page,
): readonly string[] {
  const source = sources.get(location.file);
  if (source === undefined || location.line === 0) return [];
  const text = lineText(source, location.line);
  const end = location.endLine === location.line ? location.endColumn - 1 : text.length;
  const line = excerpt(text, location.column - 1, end, columns);
  const number = `${location.line}`.padStart(gutter.length);
  const marks = `${' '.repeat(line.before)}${paint(mark.repeat(Math.max(1, line.marked)))}`;
  const bar = palette.blue(`${gutter} |`);
  const first = `${palette.blue(`${number} |`)} ${line.text}`;
  if (label === undefined) return [first, `${bar} ${marks}`];
  const used = gutter.length + 3 + line.before + Math.max(1, line.marked) + 1;
  const words = shown(label);
  // A label that does not fit next to its mark goes below it.
  if (used + displayWidth(words) <= width) return [first, `${bar} ${marks} ${paint(words)}`];
  const lines = wrapped(words, columns);
  const widest = Math.max(...lines.map(displayWidth));
  const indent =
    line.before + widest <= columns ? line.before : Math.max(0, line.before + line.marked - widest);
  return [first, `${bar} ${marks}`, ...lines.map((words) => `${bar} ${' '.repeat(indent)}${paint(words)}`)];
}

function remark(
  kind: 'note' | 'help' | 'rule',
  text: string | undefined,
  { gutter, palette, width }: Page,
): readonly string[] {
  if (text === undefined) return [];
  const indent = gutter.length + 3 + kind.length + 2;
  const [first = '', ...rest] = shown(text)
    .split('\n')
    .flatMap((line) => wrapped(line, Math.max(NARROWEST / 2, width - indent)));
  return [
    `${gutter} ${palette.blue('=')} ${palette.bold(`${kind}:`)} ${first}`,
    ...rest.map((line) => `${' '.repeat(indent)}${line}`),
  ];
}

import { changesMeaning, notFormatted } from '../diagnostics/catalogue/syntax.js';
import { type Diagnostic, isError } from '../diagnostics/types.js';
import { sourceText } from '../source/text.js';
import type { SourceFile } from '../syntax/ast.js';
import { parse } from '../syntax/parse.js';
import { FileLayout } from './declarations.js';

/** Exactly one of the two is there. */
interface FormatResult {
  readonly text?: string;
  /** Why it was refused: what is wrong with the text, and FTP1101 or FTP1102 in the end. */
  readonly diagnostics?: readonly Diagnostic[];
}

/**
 * The text of a file in the one form that it has (docs/formatting.md). A text with syntax errors is refused, and so
 * is a result that would not say the same as the text with the same comments. `file` names it in diagnostics.
 */
export function formatText(text: string, file: string): FormatResult {
  const before = parse(sourceText(file, text));
  const errors = before.diagnostics.filter(isError);
  if (errors.length > 0) return { diagnostics: [...errors, notFormatted(file)] };
  const formatted = new FileLayout(before.tree, text).text();
  const after = parse(sourceText(file, formatted));
  if (!sameMeaning(before.tree, after.tree)) return { diagnostics: [changesMeaning(file)] };
  return { text: formatted };
}

/** Do two trees say the same, whatever its place, with the same comments? */
const sameMeaning = (a: SourceFile, b: SourceFile): boolean =>
  meaning(a) === meaning(b) && comments(a) === comments(b);

const PLACES: ReadonlySet<string> = new Set(['span', 'comments']);

const meaning = (tree: SourceFile): string =>
  JSON.stringify(tree, (key, value: unknown) => (PLACES.has(key) ? undefined : value));

const comments = (tree: SourceFile): string =>
  tree.comments
    .map(({ text }) => text.trimEnd())
    .sort()
    .join('\n');

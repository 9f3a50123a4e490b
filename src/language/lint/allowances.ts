/** `// allow(rule): reason`: comments that allow a finding, with the reason. */
import * as errors from '../diagnostics/catalogue/lint.js';
import { replace } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import { lineText, positionAt, type SourceText } from '../source/text.js';
import type { Comment, SourceFile } from '../syntax/ast.js';
import { ruleIds } from './rules.js';

export interface Allowance {
  readonly comment: Comment;
  readonly rules: readonly { readonly id: string; readonly span: Span }[];
  /** `''` if there is none. */
  readonly reason: string;
  /** Findings that start in this range are allowed. */
  readonly covers: { readonly start: number; readonly end: number };
}

const ALLOW = /^\/\/\s*allow\s*\(([^()]*)\)(?:\s*:\s*(.*))?$/;
/** `// allow rate-out-of-range …` and an unclosed `// allow(…`. */
const MEANT = /^\/\/\s*allows?\b\s*(\(|:?\s*([a-z]+(?:-[a-z]+)+))/i;

export function allowancesOf(
  tree: SourceFile,
  source: SourceText,
): { readonly allowances: readonly Allowance[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  let items: readonly Span[] | undefined;
  const allowances = tree.comments.flatMap((comment) => {
    if (comment.kind !== 'line') return [];
    const found = ALLOW.exec(comment.text.trimEnd());
    const rules = found === null ? [] : idsOf(found[1] ?? '', comment);
    if (rules.length === 0) {
      if (looksMeant(comment.text)) diagnostics.push(errors.unreadableAllow(comment.span));
      return [];
    }
    const reason = found?.[2] ?? '';
    if (reason === '') diagnostics.push(errors.allowedWithoutReason(withoutColon(comment)));
    for (const { id, span } of rules)
      if (!ruleIds.includes(id)) diagnostics.push(errors.unknownRule(span, id, ruleIds));
    const known = rules.filter(({ id }) => ruleIds.includes(id));
    items ??= itemsOf(tree);
    return [{ comment, rules: known, reason, covers: covered(comment, source, items, tree.comments) }];
  });
  return { allowances, diagnostics };
}

function looksMeant(text: string): boolean {
  const meant = MEANT.exec(text);
  return meant !== null && (meant[2] === undefined || ruleIds.includes(meant[2]));
}

function idsOf(list: string, { text, span }: Comment): Allowance['rules'] {
  const from = text.indexOf('(') + 1;
  return [...list.matchAll(/[^\s,]+/g)].map(({ 0: id, index }) => {
    const start = span.start + from + index;
    return { id, span: { ...span, start, end: start + id.length } };
  });
}

/** Without a colon that nothing follows, so that the fix can add both colon and reason. */
const withoutColon = ({ text, span }: Comment): Span => ({
  ...span,
  end: span.start + text.trimEnd().replace(/:$/, '').trimEnd().length,
});

/** What a comment can precede: declarations, settings and requirements. */
function itemsOf(tree: SourceFile): readonly Span[] {
  const blocks = [...tree.blocks, ...tree.presets, ...tree.machines];
  return [
    ...tree.params.map(({ span }) => span),
    ...tree.matrices.map(({ span }) => span),
    ...blocks.flatMap(({ span, properties, requirements }) => [
      span,
      ...properties.map(({ key, value }) => ({ ...key.span, end: value.span.end })),
      ...requirements.map(({ span }) => span),
    ]),
  ].sort((a, b) => a.start - b.start);
}

/** At the end of a line: that line. On a line of its own: the next item, or the next line. */
function covered(
  { span }: Comment,
  source: SourceText,
  items: readonly Span[],
  comments: readonly Comment[],
): Allowance['covers'] {
  const { line, column } = positionAt(source, span.start);
  if (
    lineText(source, line)
      .slice(0, column - 1)
      .trim() !== ''
  )
    return lineExtent(source, line);
  let from = span.end;
  for (const comment of comments) {
    if (comment.span.start < from) continue;
    if (source.text.slice(from, comment.span.start).trim() !== '') break;
    from = comment.span.end;
  }
  const start = from + (/^\s*/.exec(source.text.slice(from))?.[0].length ?? 0);
  return items.find((item) => item.start === start) ?? lineExtent(source, positionAt(source, start).line);
}

const lineExtent = (source: SourceText, line: number): Allowance['covers'] => ({
  start: source.lineStarts[line - 1] ?? 0,
  end: source.lineStarts[line] ?? source.text.length,
});

/** Reports an allowance without a finding; the fix removes the comment or the id. */
export function unused(allowance: Allowance, index: number, source: SourceText): Diagnostic {
  const { comment, rules } = allowance;
  const rule = rules[index];
  if (rule === undefined) throw new Error('no such rule in the comment');
  const fix =
    rules.length === 1
      ? replace('remove the comment', wholeLine(comment, source), '')
      : replace(`remove \`${rule.id}\``, withComma(rules, index), '');
  return errors.allowsNothing(rule.span, rule.id, fix);
}

/** With its line if nothing else is on it, or else with the blanks before it. */
function wholeLine({ span }: Comment, source: SourceText): Span {
  const extent = lineExtent(source, positionAt(source, span.start).line);
  const before = source.text.slice(extent.start, span.start);
  if (before.trim() === '') return { ...span, ...extent };
  return { ...span, start: extent.start + before.trimEnd().length };
}

function withComma(rules: Allowance['rules'], index: number): Span {
  const [own, next, before] = [rules[index], rules[index + 1], rules[index - 1]];
  if (own === undefined) throw new Error('no such rule in the comment');
  if (next !== undefined) return { ...own.span, end: next.span.start };
  return { ...own.span, start: before?.span.end ?? own.span.start };
}

/** Commas that are missing, and one that is after the last item of a line. */
import type { Leaf, Part, SyntaxNode } from '../../../grammar/node.js';
import { UNITS } from '../../../grammar/units.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import { replace } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { SourceText } from '../source/text.js';
import { endOf, isNode, startOf } from './cst.js';

/** What may be a unit, after spaces. */
const UNIT = / +([A-Za-z]+|%)(?!\w)/y;

export class Commas {
  constructor(
    private readonly source: SourceText,
    private readonly report: (diagnostic: Diagnostic) => void,
  ) {}

  /** Reports neighbours without a comma, where commas are parts of each neighbour. */
  own(items: readonly SyntaxNode[], where: string): void {
    for (const item of items.slice(0, -1))
      if (item.end >= 0 && !hasComma(item)) this.missing(item.end, where);
  }

  /** Reports neighbours without a comma, where the commas are between them. */
  between(parent: SyntaxNode, where: string): void {
    for (let item = parent.first; item !== undefined; item = item.next) {
      const { next } = item;
      if (next !== undefined && isNode(item) && isNode(next) && item.end >= 0 && next.end >= 0)
        this.missing(item.end, where);
    }
  }

  /** Reports a comma after which the line continues with the closing bracket: what was there may be lost. */
  last(parent: SyntaxNode): void {
    let before: Part | undefined;
    let last = parent.first;
    for (; last?.next !== undefined && !isClosing(last); last = last.next) before = last;
    const comma = before !== undefined && isNode(before) ? lastOf(before) : before;
    if (comma?.key !== 'Comma' || last === undefined || isNode(comma) || isNode(last) || last.isInserted)
      return;
    if (!/[\r\n]/.test(this.source.text.slice(endOf(comma.token), startOf(last.token)))) this.dangling(comma);
  }

  private dangling({ token }: Leaf): void {
    this.report(errors.danglingComma({ file: this.source.file, start: startOf(token), end: endOf(token) }));
  }

  /** Reports that a comma is missing at an offset. */
  missing(at: number, where: string): void {
    this.report(
      this.unitAt(at) ?? errors.missingSeparator({ file: this.source.file, start: at, end: at }, where),
    );
  }

  /** `length: 64 tok`: no comma is missing there. */
  private unitAt(at: number): Diagnostic | undefined {
    const { text, file } = this.source;
    const number = /\d[\d.]*$/.exec(text.slice(Math.max(0, at - 20), at))?.[0];
    UNIT.lastIndex = at;
    const [gap, suffix = ''] = UNIT.exec(text) ?? [];
    if (number === undefined || gap === undefined || !Object.hasOwn(UNITS, suffix)) return undefined;
    const end = at + gap.length;
    const fix = replace(`write \`${number}${suffix}\``, { file, start: at, end: end - suffix.length }, '');
    return errors.expected(
      { file, start: end - suffix.length, end },
      'a unit directly after its number',
      `\`${suffix}\``,
      {
        help: `write \`${number}${suffix}\`: a unit directly follows its number`,
        fixes: [fix],
      },
    );
  }

  /** Reports two settings on one line without a comma between them, and a comma that only another one follows. */
  settings(body: SyntaxNode): void {
    let before: SyntaxNode | undefined;
    let comma: Leaf | undefined;
    for (let part = body.first; part !== undefined; part = part.next) {
      if (isNode(part)) {
        comma = undefined;
        if (part.end < 0) continue;
        if (before !== undefined) this.missing(before.end, 'settings on one line');
        before = part;
      } else {
        before = undefined;
        if (part.key !== 'Comma') continue;
        if (comma !== undefined) this.dangling(comma);
        comma = part;
      }
    }
  }

  /** Reports two names of an import without a comma between them. */
  names(importing: SyntaxNode): void {
    let before: Part | undefined;
    for (let part = importing.first; part !== undefined; part = part.next) {
      if (isNode(part) || part.isInserted) continue;
      if (part.key === 'Name' && before !== undefined && !isNode(before) && before.key === 'Name')
        this.missing(endOf(before.token), 'the names of an import');
      before = part;
    }
  }
}

const isClosing = ({ key }: Part): boolean => key === 'RCurly' || key === 'RSquare' || key === 'RParen';

function lastOf(parent: SyntaxNode): Part | undefined {
  let last = parent.first;
  while (last?.next !== undefined) last = last.next;
  return last;
}

export function hasComma(item: SyntaxNode): boolean {
  for (let part = item.first; part !== undefined; part = part.next) if (part.key === 'Comma') return true;
  return false;
}

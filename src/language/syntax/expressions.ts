import type { IToken } from '../../../grammar/chevrotain.js';
import type { Part, SyntaxNode } from '../../../grammar/node.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import { badEscape } from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { SourceText } from '../source/text.js';
import type { Argument, Entry, Expression, Word } from './ast.js';
import { Commas, hasComma } from './commas.js';
import { endOf, isNode, node, nodes, startOf, token } from './cst.js';
import { Row } from './row.js';

/** Builds expressions of one file, and reports what the wide grammar let through. */
export class ExpressionBuilder {
  readonly commas: Commas;

  constructor(
    private readonly source: SourceText,
    readonly report: (diagnostic: Diagnostic) => void,
  ) {
    this.commas = new Commas(source, report);
  }

  get file(): string {
    return this.source.file;
  }

  span(token: IToken): Span {
    return { file: this.file, start: startOf(token), end: endOf(token) };
  }

  spanOf(parent: SyntaxNode, fallback: number): Span {
    const isThere = parent.end >= 0;
    return {
      file: this.file,
      start: isThere ? parent.start : fallback,
      end: isThere ? parent.end : fallback,
    };
  }

  word(token: IToken): Word {
    return { text: token.image, span: this.span(token) };
  }

  missing(at: number): Expression {
    return { kind: 'missing', span: { file: this.file, start: at, end: at } };
  }

  /** `parent` is an `expression` node; `at` stands in for a place where nothing could be read. */
  expression(parent: SyntaxNode | undefined, at: number): Expression {
    const operation = parent && node(parent, 'operation');
    if (parent === undefined || operation === undefined) return this.missing(at);
    const condition = this.operation(operation, at);
    if (token(parent, 'Question') === undefined) return condition;
    const [whenTrue, whenFalse] = nodes(parent, 'expression');
    return {
      kind: 'conditional',
      condition,
      whenTrue: this.expression(whenTrue, condition.span.end),
      whenFalse: this.expression(whenFalse, condition.span.end),
      span: this.spanOf(parent, at),
    };
  }

  private operation(parent: SyntaxNode, at: number): Expression {
    const only = parent.first;
    // Nearly every expression is one value.
    if (only?.next === undefined && only !== undefined && isNode(only) && only.first?.next === undefined)
      return only.first === undefined ? this.missing(at) : this.value(only.first, at);
    const parts: Part[] = [];
    for (let part = parent.first; part !== undefined; part = part.next) {
      if (!isNode(part)) parts.push(part);
      else
        for (let inner = part.first; inner !== undefined; inner = inner.next)
          if (isNode(inner) || !inner.isInserted) parts.push(inner);
    }
    return new Row(parts, (part, at) => this.value(part, at), this).binary(0, at);
  }

  private value(part: Part, at: number): Expression {
    return isNode(part) ? this.composite(part, at) : this.literal(part.token);
  }

  private literal(token: IToken): Expression {
    const span = this.span(token);
    const text = token.image;
    if (text.startsWith('0') && /^0\d/.test(text)) this.report(errors.leadingZero(span, text));
    switch (token.tokenType.name) {
      case 'Unreadable':
        return this.missing(startOf(token));
      case 'NumberLiteral':
        return { kind: 'number', value: Number(text), span };
      case 'True':
      case 'False':
        return { kind: 'boolean', value: text === 'true', span };
      case 'None':
        return { kind: 'none', span };
      default: {
        const digits = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text)?.[0] ?? '';
        const suffix = text.slice(digits.length);
        return token.tokenType.name === 'Quantity'
          ? { kind: 'quantity', value: Number(digits), suffix, span }
          : { kind: 'bad_quantity', digits, suffix, span };
      }
    }
  }

  private composite(child: SyntaxNode, at: number): Expression {
    const span = this.spanOf(child, at);
    switch (child.rule) {
      case 'text': {
        const text = this.text(child);
        return text === undefined ? this.missing(at) : { kind: 'string', value: text.text, span };
      }
      case 'group': {
        const inner = this.expression(node(child, 'expression'), span.start);
        return inner.kind === 'binary' ? { ...inner, grouped: true, span } : { ...inner, span };
      }
      case 'list': {
        const items = nodes(child, 'expression');
        this.commas.between(child, 'the items of a list');
        this.commas.last(child);
        return { kind: 'list', items: items.map((item) => this.expression(item, span.start)), span };
      }
      case 'record': {
        const entries = nodes(child, 'entry');
        this.commas.own(entries, 'the entries of a record');
        this.commas.last(child);
        this.signs(entries, ':');
        return { kind: 'record', entries: entries.flatMap((entry) => this.entry(entry)), span };
      }
      default:
        return this.reference(child, span);
    }
  }

  /** The value of a `text` node as a word. */
  text(parent: SyntaxNode): Word | undefined {
    const part = parent.first;
    if (part === undefined || isNode(part) || part.isInserted) return undefined;
    const found = part.token;
    const span = this.span(found);
    const content = found.image.slice(1, found.tokenType.name === 'UnterminatedString' ? undefined : -1);
    if (found.tokenType.name === 'ForeignString') this.report(errors.foreignString(span, content));
    const text =
      found.tokenType.name === 'StringLiteral'
        ? readEscapes(content, this.file, span.start + 1, this.report)
        : content;
    return { text, span };
  }

  private reference(parent: SyntaxNode, span: Span): Expression {
    const path: Word[] = [];
    for (let part = parent.first; part !== undefined; part = part.next)
      if (!isNode(part) && part.key !== 'Dot' && !part.isInserted) path.push(this.word(part.token));
    const call = node(parent, 'call');
    const callee = path[0];
    if (callee === undefined) return this.missing(span.start);
    if (call === undefined) return { kind: 'reference', path, span };
    const written = nodes(call, 'argument');
    this.signs(written, ':');
    const args = this.args(written);
    this.commas.last(call);
    return {
      kind: 'call',
      callee: {
        text: path.map((word) => word.text).join('.'),
        span: { ...callee.span, end: path.at(-1)?.span.end ?? callee.span.end },
      },
      args,
      span,
    };
  }

  private args(written: readonly SyntaxNode[]): readonly Argument[] {
    const args: Argument[] = [];
    for (let index = 0; index < written.length; index++) {
      const [one, next] = [written[index], written[index + 1]];
      if (one === undefined) continue;
      const name = next === undefined || hasComma(one) ? undefined : soleWord(one);
      if (name !== undefined && next !== undefined && this.isString(next, endOf(name))) {
        this.report(errors.prefixedString(this.span(name), name.image));
        continue;
      }
      if (name !== undefined && next !== undefined && token(next, 'Sets') === undefined) {
        // `rate 2e-4`: a colon is missing, and no comma.
        const at = endOf(name);
        this.report(errors.wrongSetSign({ file: this.file, start: at, end: at }, ':'));
        args.push({ name: this.word(name), value: this.argument(next).value });
        index++;
      } else {
        if (next !== undefined && one.end >= 0 && !hasComma(one))
          this.commas.missing(one.end, 'the arguments of a call');
        args.push(this.argument(one));
      }
    }
    return args;
  }

  /** Does the text have a string at this place? */
  private isString(parent: SyntaxNode, at: number): boolean {
    return parent.start === at && this.source.text[at] === '"';
  }

  /** Names that are followed by the other sign: one error for all of a block or bracket. */
  signs(named: readonly SyntaxNode[], wanted: '=' | ':'): void {
    const wrong = named.flatMap((parent) => {
      const sets = token(parent, 'Sets');
      return sets !== undefined && sets.image !== wanted ? [this.span(sets)] : [];
    });
    const [first] = wrong;
    if (first !== undefined)
      this.report(
        errors.wrongSetSign(
          first,
          wanted,
          wrong.map((span) => this.withBlanks(span)),
        ),
      );
  }

  private withBlanks(span: Span): Span {
    const { text } = this.source;
    let { start, end } = span;
    while (text[start - 1] === ' ') start--;
    while (text[end] === ' ') end++;
    return { ...span, start, end };
  }

  private argument(parent: SyntaxNode): Argument {
    const name = token(parent, 'Word');
    const at = name === undefined ? 0 : endOf(name);
    const value = this.expression(node(parent, 'expression'), parent.end < 0 ? at : parent.start);
    return name === undefined ? { value } : { name: this.word(name), value };
  }

  private entry(parent: SyntaxNode): readonly Entry[] {
    const word = token(parent, 'Word') ?? token(parent, 'StringLiteral');
    if (word === undefined) return [];
    const text =
      word.tokenType.name === 'StringLiteral'
        ? readEscapes(word.image.slice(1, -1), this.file, startOf(word) + 1, this.report)
        : word.image;
    const key = { text, span: this.span(word) };
    return [{ key, value: this.expression(node(parent, 'expression'), key.span.end) }];
  }
}

/** The word that a node is, where it is nothing else. */
function soleWord(item: SyntaxNode): IToken | undefined {
  const { first } = item;
  if (first === undefined || first.next !== undefined) return undefined;
  if (isNode(first)) return soleWord(first);
  return first.key === 'Name' && !first.isInserted ? first.token : undefined;
}

const SIMPLE: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t' };

/** The value of a string from what is between its quotes; `start` is the offset of its first character. */
function readEscapes(
  content: string,
  file: string,
  start: number,
  report: (diagnostic: Diagnostic) => void,
): string {
  return content.replace(/\\(u\{([0-9a-fA-F]{1,6})\}|.)/g, (written, body: string, hex, offset: number) => {
    const point = hex === undefined ? undefined : Number.parseInt(hex, 16);
    if (point !== undefined && point <= 0x10ffff) return String.fromCodePoint(point);
    const simple = SIMPLE[body];
    if (simple !== undefined) return simple;
    const at: Span = { file, start: start + offset, end: start + offset + written.length };
    report(badEscape(at, written));
    return written;
  });
}

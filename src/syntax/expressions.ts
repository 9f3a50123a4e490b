import type { CstNode, IToken } from '../../grammar/chevrotain.js';
import {
  type BinaryOperatorText,
  NEGATE_PRECEDENCE,
  NOT_PRECEDENCE,
  PRECEDENCE,
} from '../../grammar/operators.js';
import { FOREIGN_SIGNS } from '../../grammar/tokens.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { Argument, Entry, Expression, Word } from './ast.js';
import { endOf, extent, node, nodes, startOf, token, tokens } from './cst.js';
import { readEscapes } from './strings.js';

/** Builds expressions of one file, and reports what the wide grammar let through. */
export class ExpressionBuilder {
  constructor(
    readonly file: string,
    readonly report: (diagnostic: Diagnostic) => void,
  ) {}

  span(token: IToken): Span {
    return { file: this.file, start: startOf(token), end: endOf(token) };
  }

  spanOf(parent: CstNode, fallback: number): Span {
    return { file: this.file, ...(extent(parent) ?? { start: fallback, end: fallback }) };
  }

  word(token: IToken): Word {
    return { text: token.image, span: this.span(token) };
  }

  missing(at: number): Expression {
    return { kind: 'missing', span: { file: this.file, start: at, end: at } };
  }

  /** `parent` is an `expression` node; `at` stands in for a place where nothing could be read. */
  expression(parent: CstNode | undefined, at: number): Expression {
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

  private operation(parent: CstNode, at: number): Expression {
    const operands = nodes(parent, 'operand');
    const operators = tokens(parent, 'BinaryOperator');
    const parts: (IToken | CstNode)[] = [];
    for (const [i, operand] of operands.entries()) {
      const operator = operators[i - 1];
      if (i > 0 && operator !== undefined) parts.push(operator);
      parts.push(...tokens(operand, 'PrefixOperator'));
      const atom = node(operand, 'atom');
      if (atom !== undefined) parts.push(atom);
    }
    const reader = new Row(parts, (atom) => this.atom(atom, at), this);
    return reader.binary(0, at);
  }

  private atom(parent: CstNode, at: number): Expression {
    const [name, children] = Object.entries(parent.children)[0] ?? [];
    const child = children?.[0];
    if (name === undefined || child === undefined) return this.missing(at);
    if ('children' in child) return this.composite(name, child, at);
    return this.literal(child);
  }

  private literal(token: IToken): Expression {
    const span = this.span(token);
    const text = token.image;
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

  private composite(name: string, child: CstNode, at: number): Expression {
    const span = this.spanOf(child, at);
    switch (name) {
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
        this.commas(items, tokens(child, 'Comma'), 'the items of a list');
        return { kind: 'list', items: items.map((item) => this.expression(item, span.start)), span };
      }
      case 'record': {
        const entries = nodes(child, 'entry');
        this.ownCommas(entries, 'the entries of a record');
        return { kind: 'record', entries: entries.flatMap((entry) => this.entry(entry)), span };
      }
      default:
        return this.reference(child, span);
    }
  }

  /** The value of a `text` node as a word. */
  text(parent: CstNode): Word | undefined {
    const found = Object.values(parent.children)[0]?.[0];
    if (found === undefined || 'children' in found || found.isInsertedInRecovery === true) return undefined;
    const span = this.span(found);
    const content = found.image.slice(1, found.tokenType.name === 'UnterminatedString' ? undefined : -1);
    if (found.tokenType.name === 'ForeignString') this.report(errors.foreignString(span, content));
    if (found.tokenType.name === 'UnterminatedString') this.report(errors.unterminatedString(span));
    const text =
      found.tokenType.name === 'StringLiteral'
        ? readEscapes(content, this.file, span.start + 1, this.report)
        : content;
    return { text, span };
  }

  private reference(parent: CstNode, span: Span): Expression {
    const words = [...tokens(parent, 'Name'), ...tokens(parent, 'Word')].filter(
      (word) => word.isInsertedInRecovery !== true,
    );
    const path = words.map((word) => this.word(word));
    const call = node(parent, 'call');
    const callee = path[0];
    if (callee === undefined) return this.missing(span.start);
    if (call === undefined) return { kind: 'reference', path, span };
    const args = nodes(call, 'argument');
    this.ownCommas(args, 'the arguments of a call');
    return {
      kind: 'call',
      callee: {
        text: path.map((word) => word.text).join('.'),
        span: { ...callee.span, end: path.at(-1)?.span.end ?? callee.span.end },
      },
      args: args.map((arg) => this.argument(arg)),
      span,
    };
  }

  private argument(parent: CstNode): Argument {
    const name = token(parent, 'Word');
    const sets = token(parent, 'Sets');
    if (sets?.image === '=') this.report(errors.wrongSetSign(this.span(sets), ':'));
    const at = name === undefined ? 0 : endOf(name);
    const value = this.expression(node(parent, 'expression'), extent(parent)?.start ?? at);
    return name === undefined ? { value } : { name: this.word(name), value };
  }

  private entry(parent: CstNode): readonly Entry[] {
    const word = token(parent, 'Word') ?? token(parent, 'StringLiteral');
    if (word === undefined) return [];
    const sets = token(parent, 'Sets');
    if (sets?.image === '=') this.report(errors.wrongSetSign(this.span(sets), ':'));
    const text =
      word.tokenType.name === 'StringLiteral'
        ? readEscapes(word.image.slice(1, -1), this.file, startOf(word) + 1, this.report)
        : word.image;
    const key = { text, span: this.span(word) };
    return [{ key, value: this.expression(node(parent, 'expression'), key.span.end) }];
  }

  /** Reports neighbours without a comma, where commas are children of each neighbour. */
  private ownCommas(items: readonly CstNode[], where: string): void {
    for (const item of items.slice(0, -1)) {
      const end = extent(item)?.end;
      if (tokens(item, 'Comma').length === 0 && end !== undefined)
        this.report(errors.missingSeparator({ file: this.file, start: end, end }, where));
    }
  }

  /** Reports neighbours without a comma, where the commas stand between them. */
  commas(items: readonly CstNode[], commas: readonly IToken[], where: string): void {
    for (const [i, item] of items.slice(0, -1).entries()) {
      const end = extent(item)?.end;
      const next = items[i + 1] && extent(items[i + 1] as CstNode);
      if (end === undefined || next === undefined) continue;
      if (!commas.some((comma) => startOf(comma) >= end && startOf(comma) < next.start))
        this.report(errors.missingSeparator({ file: this.file, start: end, end }, where));
    }
  }
}

/** Precedence climbing over a row of prefix operators, atoms and operators between them. */
class Row {
  private position = 0;

  constructor(
    private readonly parts: readonly (IToken | CstNode)[],
    private readonly atom: (parent: CstNode) => Expression,
    private readonly builder: ExpressionBuilder,
  ) {}

  binary(least: number, at: number): Expression {
    let left = this.prefix(at);
    for (;;) {
      const part = this.parts[this.position];
      if (part === undefined || 'children' in part) return left;
      const operator = operatorText(part) as BinaryOperatorText;
      const precedence = PRECEDENCE[operator];
      if (precedence <= least) return left;
      this.position++;
      const right = this.binary(precedence, endOf(part));
      left = {
        kind: 'binary',
        operator,
        left,
        right,
        span: { ...left.span, end: Math.max(left.span.end, right.span.end) },
      };
    }
  }

  private prefix(at: number): Expression {
    const part = this.parts[this.position];
    if (part === undefined) return this.builder.missing(at);
    this.position++;
    if ('children' in part) return this.atom(part);
    const operator = operatorText(part) === 'not' ? 'not' : '-';
    const operand = this.binary(operator === 'not' ? NOT_PRECEDENCE : NEGATE_PRECEDENCE, endOf(part));
    return { kind: 'unary', operator, operand, span: { ...this.builder.span(part), end: operand.span.end } };
  }
}

const operatorText = (token: IToken): string => FOREIGN_SIGNS.get(token.image) ?? token.image;

import type { IToken } from '../../../grammar/chevrotain.js';
import type { Part } from '../../../grammar/node.js';
import {
  type BinaryOperatorText,
  NEGATE_PRECEDENCE,
  NOT_PRECEDENCE,
  PRECEDENCE,
} from '../../../grammar/operators.js';
import { FOREIGN_SIGNS } from '../../../grammar/tokens.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { Expression } from './ast.js';
import { endOf, isNode } from './cst.js';

/** What a row asks of the builder of its expressions. */
interface RowBuilder {
  /** The expression where one is missing, which is reported. */
  missing(at: number): Expression;
  report(diagnostic: Diagnostic): void;
  span(token: IToken): Span;
}

/** Precedence climbing over a row of prefix operators, values and operators between them. */
export class Row {
  private position = 0;

  constructor(
    private readonly parts: readonly Part[],
    private readonly value: (part: Part, at: number) => Expression,
    private readonly builder: RowBuilder,
  ) {}

  binary(least: number, at: number): Expression {
    let left = this.prefix(at);
    for (;;) {
      const sign = this.operator('BinaryOperator');
      if (sign === undefined) return left;
      const operator = operatorText(sign) as BinaryOperatorText;
      const precedence = PRECEDENCE[operator];
      if (precedence <= least) return left;
      this.position++;
      const right = this.binary(precedence, endOf(sign));
      const span = { ...left.span, end: Math.max(left.span.end, right.span.end) };
      left = { kind: 'binary', operator, left, right, span };
    }
  }

  private prefix(at: number): Expression {
    const part = this.parts[this.position];
    if (part === undefined || this.operator('BinaryOperator') !== undefined) return this.builder.missing(at);
    const sign = this.operator('PrefixOperator');
    this.position++;
    if (sign === undefined) return this.value(part, at);
    const operator = operatorText(sign) === 'not' ? 'not' : '-';
    const earlier = this.parts[this.position - 2];
    if (earlier !== undefined && !isNode(earlier) && operatorText(earlier.token) === operatorText(sign))
      this.builder.report(errors.doubledSign(this.builder.span(sign), operator));
    const operand = this.binary(operator === 'not' ? NOT_PRECEDENCE : NEGATE_PRECEDENCE, endOf(sign));
    return { kind: 'unary', operator, operand, span: { ...this.builder.span(sign), end: operand.span.end } };
  }

  /** The operator of this sort that comes next. */
  private operator(key: 'BinaryOperator' | 'PrefixOperator'): IToken | undefined {
    const part = this.parts[this.position];
    return part === undefined || isNode(part) || part.key !== key ? undefined : part.token;
  }
}

const operatorText = (token: IToken): string => FOREIGN_SIGNS.get(token.image) ?? token.image;

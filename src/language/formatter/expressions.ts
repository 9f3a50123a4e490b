/** How expressions are laid out. The tree says what belongs together; the text of every token stays as written. */
import { PRECEDENCE } from '../../../grammar/operators.js';
import { Comma, LParen, Minus } from '../../../grammar/tokens.js';
import type { Argument, Entry, Expression, Range } from '../syntax/ast.js';
import { type Cursor, endingLine } from './cursor.js';
import { BREAK, choice, type Doc, group, indent, SPACE_OR_BREAK } from './doc.js';

/** Where an expression is: only in brackets may it continue in the next line. */
type BracketPosition = 'outside' | 'in_brackets' | 'fills_brackets';

interface BracketStyle {
  /** What is between brackets and items on one line. */
  readonly edge?: Doc;
  readonly commas?: boolean;
}

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

export class ExpressionLayout {
  constructor(private readonly cursor: Cursor) {}

  expression(expression: Expression, place: BracketPosition = 'outside'): Doc {
    const { span } = expression;
    const { next } = this.cursor;
    if (next.type === LParen && next.start === span.start) {
      const { start, last, after } = this.cursor.brackets();
      // `(a) + (b)` starts with a bracket, too, which closes before its end
      if (after === span.end) {
        const inner = { ...expression, span: { ...span, start, end: last.end } };
        return this.brackets([() => this.expression(inner, 'fills_brackets')], { commas: false });
      }
    }
    return this.bare(expression, place);
  }

  /** An expression without brackets around all of it. */
  private bare(expression: Expression, place: BracketPosition): Doc {
    switch (expression.kind) {
      case 'list':
        return this.brackets(expression.items.map((item) => () => this.expression(item, 'in_brackets')));
      case 'record':
        return this.brackets(
          expression.entries.map((entry) => () => this.entry(entry)),
          { edge: SPACE_OR_BREAK },
        );
      case 'call': {
        const callee = this.cursor.takeUntil(expression.callee.span.end);
        return [callee, this.brackets(expression.args.map((argument) => () => this.argument(argument)))];
      }
      case 'unary': {
        const operator = this.cursor.take();
        const apart = operator === 'not' || this.cursor.next.type === Minus;
        return [operator, apart ? ' ' : '', this.expression(expression.operand, place)];
      }
      case 'binary':
        return this.binary(expression, place);
      case 'conditional':
        return this.conditional(expression, place);
      default:
        return this.cursor.takeUntil(expression.span.end);
    }
  }

  /** `(1..64)`, which never breaks. */
  range({ min, max, span }: Range): Doc {
    const { cursor } = this;
    const open = cursor.take();
    const from = min === undefined ? '' : this.expression(min);
    const to = cursor.take();
    const until = max === undefined ? '' : this.expression(max);
    return [open, from, to, until, cursor.takeUntil(span.end)];
  }

  /**
   * Brackets with items between commas: on one line, or one item per line with a comma after each. A comma after the
   * last item, as it was written, keeps them broken.
   */
  brackets(items: readonly (() => Doc)[], { edge = BREAK, commas = true }: BracketStyle = {}): Doc {
    const { cursor } = this;
    const { hasComment, last } = cursor.brackets();
    const hasItems = items.length > 0;
    // if there is none in the brackets, comments that were waiting before keep waiting
    const open = cursor.take();
    const trailing = hasComment ? cursor.commentsAfter() : '';
    const inside = items.map((print, i) => {
      const before = [i === 0 ? edge : SPACE_OR_BREAK, cursor.linesBefore({ first: i === 0 })];
      const comma = (): Doc => (commas ? this.comma(i === items.length - 1) : '');
      return [before, hasComment ? endingLine(cursor, print, comma) : [print(), comma()]];
    });
    const end = cursor.linesBeforeEnd({ first: !hasItems });
    const body = [open, indent([trailing, inside, end]), hasItems ? edge : BREAK, cursor.take()];
    return group(body, hasComment || last.type === Comma);
  }

  private comma(isLast: boolean): Doc {
    this.cursor.skip(Comma);
    return isLast ? choice(',', '') : ',';
  }

  private entry({ value }: Entry): Doc {
    const key = this.cursor.take();
    return [key, this.cursor.take(), ' ', this.expression(value, 'in_brackets')];
  }

  private argument({ name, value }: Argument): Doc {
    if (name === undefined) return this.expression(value, 'in_brackets');
    return [this.cursor.take(), this.cursor.take(), ' ', this.expression(value, 'in_brackets')];
  }

  /** Operators that bind alike break together: `a and b and c`. */
  private binary(expression: Of<'binary'>, place: BracketPosition): Doc {
    const operands: Expression[] = [expression.right];
    let { left } = expression;
    while (left.kind === 'binary' && left.grouped !== true && bindAlike(left, expression)) {
      operands.unshift(left.right);
      left = left.left;
    }
    const first = this.expression(left, inside(place));
    const others = operands.map((operand) => [
      place === 'outside' ? ' ' : SPACE_OR_BREAK,
      this.cursor.take(),
      ' ',
      this.expression(operand, inside(place)),
    ]);
    return group([first, place === 'in_brackets' ? indent(others) : others]);
  }

  private conditional({ condition, whenTrue, whenFalse }: Of<'conditional'>, place: BracketPosition): Doc {
    const before = place === 'outside' ? ' ' : SPACE_OR_BREAK;
    const first = this.expression(condition, inside(place));
    const branches = [whenTrue, whenFalse].map((branch) => [
      before,
      this.cursor.take(),
      ' ',
      this.expression(branch, inside(place)),
    ]);
    return group([first, place === 'in_brackets' ? indent(branches) : branches]);
  }
}

const bindAlike = (a: Of<'binary'>, b: Of<'binary'>): boolean =>
  PRECEDENCE[a.operator] === PRECEDENCE[b.operator];

/** The place of an operand. */
const inside = (place: BracketPosition): BracketPosition => (place === 'outside' ? 'outside' : 'in_brackets');

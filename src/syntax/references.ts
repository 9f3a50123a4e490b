import type { Expression, Word } from './ast.js';

/** The first words of every name that an expression refers to or calls. */
export function referredTo(expression: Expression): readonly Word[] {
  switch (expression.kind) {
    case 'reference':
      return expression.path.slice(0, 1);
    case 'call':
      return [expression.callee, ...expression.args.flatMap(({ value }) => referredTo(value))];
    case 'list':
      return expression.items.flatMap(referredTo);
    case 'record':
      return expression.entries.flatMap(({ value }) => referredTo(value));
    case 'unary':
      return referredTo(expression.operand);
    case 'binary':
      return [...referredTo(expression.left), ...referredTo(expression.right)];
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse].flatMap(referredTo);
    default:
      return [];
  }
}

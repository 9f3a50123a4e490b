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

/** Every name with what stands after its dots, without what is called. */
export function pathsIn(expression: Expression): readonly (readonly Word[])[] {
  switch (expression.kind) {
    case 'reference':
      return [expression.path];
    case 'call':
      return expression.args.flatMap(({ value }) => pathsIn(value));
    case 'list':
      return expression.items.flatMap(pathsIn);
    case 'record':
      return expression.entries.flatMap(({ value }) => pathsIn(value));
    case 'unary':
      return pathsIn(expression.operand);
    case 'binary':
      return [...pathsIn(expression.left), ...pathsIn(expression.right)];
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse].flatMap(pathsIn);
    default:
      return [];
  }
}

import type { Expression, Word } from './ast.js';

/** An expression and all that is in it, each before its parts. */
export function withParts(expression: Expression): readonly Expression[] {
  const found: Expression[] = [];
  collect(expression, found);
  return found;
}

function collect(expression: Expression, found: Expression[]): void {
  found.push(expression);
  for (const part of partsOf(expression)) collect(part, found);
}

/** The expressions that it directly consists of. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'call':
      return expression.args.map(({ value }) => value);
    case 'list':
      return expression.items;
    case 'record':
      return expression.entries.map(({ value }) => value);
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    default:
      return [];
  }
}

/** The first words of every name that an expression refers to or calls. */
export const referredTo = (expression: Expression): readonly Word[] =>
  withParts(expression).flatMap((part) =>
    part.kind === 'reference' ? part.path.slice(0, 1) : part.kind === 'call' ? [part.callee] : [],
  );

/** Every name with what is after its dots, without what is called. */
export const pathsIn = (expression: Expression): readonly (readonly Word[])[] =>
  withParts(expression).flatMap((part) => (part.kind === 'reference' ? [part.path] : []));

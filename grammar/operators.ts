/** How tightly the operators bind: a higher number binds tighter. All are left-associative. */
export const PRECEDENCE = {
  or: 1,
  and: 2,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
} as const;

export type BinaryOperatorText = keyof typeof PRECEDENCE;

/** `not` reaches over comparisons, `-` only over what is next to it. */
export const NOT_PRECEDENCE = 3;
export const NEGATE_PRECEDENCE = 7;

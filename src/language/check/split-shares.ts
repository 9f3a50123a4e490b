import { sharesDoNotAddUp } from '../diagnostics/catalogue/values.js';
import type { Values } from '../ir/program.js';
import { isRecord } from '../ir/values.js';
import type { Block } from '../syntax/ast.js';
import type { Context } from './context.js';
import { formatQuantity } from './units.js';

/** Sides of a split that rows go to. */
const SIDES = ['train', 'valid', 'test'] as const;
/** Shares are decimal literals in binary: this much is rounding. */
const ROUNDING = 1e-9;

/** The shares of a `split` give every row one side. */
export function checkShares(block: Block, settings: Values, context: Context): void {
  const { split } = settings;
  const written = block.properties.find(({ key }) => key.text === 'split');
  if (!isRecord(split) || written === undefined || block.kind.text !== 'data') return;
  const total = SIDES.reduce((sum, side) => sum + Number(split[side] ?? 0), 0);
  if (Math.abs(total - 1) > ROUNDING)
    context.report(sharesDoNotAddUp(written.value.span, formatQuantity(total, 'ratio')));
}

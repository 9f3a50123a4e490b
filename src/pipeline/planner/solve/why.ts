/** Why an alternative was not taken, in words with numbers. */
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { largestPart } from '../memory/peak-parts.js';
import { availableText, fitsIn, type MemoryBudget, refusedText, tighter } from '../memory-budget.js';
import { bytes } from '../quantities.js';
import type { Peak } from '../types.js';

export function whyTooLarge(peak: Peak, budget: MemoryBudget): string {
  if (peak.refused !== undefined) return refusedText(peak.refused);
  const tight = tighter(peak, budget);
  const { needs, available } = tight;
  const { part, bytes: size } = largestPart(needs.parts);
  return `needs ${bytes(needs.high - available)} more than the ${availableText(tight)}; largest part: ${part}, ${bytes(size)}`;
}

export function whyOtherMethod(
  other: TrainPlan,
  peak: Peak,
  budget: MemoryBudget,
  taken: TrainPlan['method'],
): string {
  if (!fitsIn(peak, budget)) return whyTooLarge(peak, budget);
  if (other.method === 'full') return 'fits, but trains every weight: only with `using full`';
  if (other.method === 'qlora')
    return taken === 'full'
      ? 'fits, but trains an adapter: only with `using qlora`'
      : 'fits, but quantises the base to 4 bits: chosen only if the base as stored does not fit';
  return taken === 'qlora'
    ? 'fits, but the file asks for `qlora`'
    : 'fits, but trains an adapter: only with `using lora`';
}

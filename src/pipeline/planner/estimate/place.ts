/** Where a stage runs, and how it holds weights. */
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import { hasCores } from '../machines.js';
import { fitsIn, type MemoryBudget } from '../memory-budget.js';
import type { PlanContext } from '../plan-context.js';
import type { Peak, Seconds } from '../plan-json.js';
import type { Estimate } from './types.js';

/** Work that is as fast everywhere, on a machine whose other times are known. */
export const here = ({ machine, engine, declared }: PlanContext, seconds: Seconds): Seconds | null => {
  const isTimed = engine.name === 'accelerate' ? declared?.rates !== undefined : hasCores(declared);
  return machine.here || isTimed ? seconds : null;
};

/** Weights are in memory in the first way that fits, and else in the last; what is computed is the same. */
export function firstThatFits(
  budget: MemoryBudget,
  ways: readonly WeightResidency[],
  peakOf: (residency: WeightResidency) => Peak,
): Pick<Estimate, 'peak' | 'residency' | 'decides'> {
  const stored = peakOf('stored');
  const tried = ways
    .map((residency) => ({ residency, peak: residency === 'stored' ? stored : peakOf(residency) }))
    // what is float32 already, or in 4 bits, has one residency
    .filter(({ residency, peak }) => residency === 'stored' || peak.bytes !== stored.bytes);
  const fits = (isLenient: boolean) => tried.find(({ peak }) => fitsIn(peak, { ...budget, isLenient }));
  const last = tried.at(-1) ?? { residency: 'stored', peak: stored };
  const found = fits(false) ?? fits(true) ?? last;
  const free = tried.find(({ peak }) => fitsIn(peak, { ...budget, limit: undefined })) ?? last;
  return free === found ? found : { ...found, decides: true };
}

/** Why the planner chose as it did. */

import { bytes } from '../../../pipeline/planner/quantities.js';
import type { Plan, PlannedStage, RejectedPlan } from '../../../pipeline/planner/types.js';

export const isSetByPlanner = (path: string, planned: PlannedStage | undefined): boolean =>
  planned?.effective[path]?.from === 'planner';

export function whyChosen(
  path: string,
  { peak, rejected, chosen, action }: PlannedStage,
  plan: Plan | undefined,
): { readonly why: string; readonly rejected: readonly RejectedPlan[] } {
  const available = plan === undefined ? '' : bytes(plan.machine.availableBytes);
  const fits =
    peak === null
      ? 'what it needs is known when the model can be read'
      : peak.measured === undefined
        ? `the stage then needs ${bytes(peak.bytes)} (at most ${bytes(peak.high)}) of ${available}`
        : `${bytes(peak.measured)} of ${available} were measured with it`;
  const kept = action === 'cached' ? 'chosen when the stage ran: ' : '';
  const follows: Readonly<Record<string, string>> = {
    'batch.accumulation': `it follows: ${chosen?.accumulation} × ${chosen?.microBatch} rows are the rows of one step`,
    'lora.alpha': `it follows the rank, so that alpha ÷ rank stays as the file has it`,
  };
  return { why: `${kept}${follows[path] ?? fits}`, rejected };
}

/** What the planner says about a stage, for hovers and hints. */
import { bytes, duration } from '../../pipeline/planner/quantities.js';
import { scaleText } from '../../pipeline/planner/render/scale.js';
import type { PlannedStage } from '../../pipeline/planner/types.js';
import { planTexts } from '../../pipeline/stages/train-plan/fields.js';
import type { PlanReply } from './plans.js';

/** The planned stages of a block: a matrix makes several of one. */
export const plannedOf = (reply: PlanReply | undefined, name: string): readonly PlannedStage[] =>
  (reply?.stages ?? []).filter((stage) => stage.name === name || stage.instance?.of === name);

export const peakText = ({ peak }: PlannedStage): string | undefined =>
  peak === null ? undefined : bytes(peak.measured ?? peak.bytes);

/** A list: action, memory, time, size, choice. */
export function planFacts(stage: PlannedStage): string {
  const { chosen, seconds, scale, action, peak, diskBytes } = stage;
  const lines = [
    `${action}${stage.reasons.length === 0 ? '' : ` (${stage.reasons.map(({ code }) => code.replaceAll('_', ' ')).join(', ')})`}`,
    ...(peak === null
      ? []
      : [
          peak.measured === undefined
            ? `peak memory ${bytes(peak.bytes)} (${bytes(peak.low)} – ${bytes(peak.high)})`
            : `peak memory ${bytes(peak.measured)}, as measured`,
        ]),
    ...(seconds === null || action === 'cached' ? [] : [`time ${duration(seconds.expected)}`]),
    ...(scaleText(scale) === '' ? [] : [scaleText(scale)]),
    ...(chosen === null
      ? []
      : [
          `${chosen.method}, ${chosen.microBatch} rows × ${chosen.accumulation} per step, up to ${chosen.maxLength} tokens${chosen.rank > 0 ? `, rank ${chosen.rank}` : ''}`,
          ...planTexts(chosen),
        ]),
    ...(diskBytes > 0 ? [`disk ${bytes(diskBytes)}`] : []),
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

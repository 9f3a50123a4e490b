import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { Peak } from '../plan-json.js';
import { largestOf } from './peaks.js';
import { rankPeak } from './ranks.js';
import { referencePeak } from './reference.js';
import { processPeak, type TrainMemory } from './train.js';

/** What a training takes, on the engine that computes it. */
export const trainPeak = (memory: TrainMemory, plan: TrainPlan): Peak =>
  memory.ranks === undefined
    ? largestOf([processPeak(memory, plan), referencePeak(memory, plan)].flatMap((peak) => peak ?? []))
    : rankPeak(memory, memory.ranks, plan);

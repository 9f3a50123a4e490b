import type { DecoderPlan, DecoderPlanOptions } from '../../../compute/models/decoder/types.js';

/** What a decoder will hold and compute. */
export type PlanDecoder = (options: DecoderPlanOptions) => DecoderPlan;

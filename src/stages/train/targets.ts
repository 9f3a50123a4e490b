import type { LoraConfig } from '../../models/types.js';
import type { Chosen } from '../types.js';
import { PROJECTIONS, type TrainSettings } from './schema.js';

type SetName = 'all_linear' | 'attention' | 'query_value';
/** The static type of the `targets` setting, which the schema's inference can't see through a union of a list. */
export type Targets = SetName | readonly (typeof PROJECTIONS)[number][];

const SETS: Readonly<Record<SetName, readonly string[]>> = {
  all_linear: PROJECTIONS,
  attention: ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
  query_value: ['q_proj', 'v_proj'],
};

/** Projections that a `targets` setting names, in the order in which a block uses them. */
export function targetNames(targets: Targets): readonly string[] {
  const wanted = new Set<string>(typeof targets === 'string' ? SETS[targets] : targets);
  return PROJECTIONS.filter((projection) => wanted.has(projection));
}

/** The adapter that is trained: rank and alpha as chosen, the rest as set. */
export function loraConfig({ lora }: Pick<TrainSettings, 'lora'>, chosen: Chosen): LoraConfig {
  return {
    rank: chosen.rank,
    alpha: chosen.alpha,
    dropout: lora.dropout,
    targets: targetNames(lora.targets as Targets),
  };
}

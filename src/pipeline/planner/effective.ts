/** Every setting as it counts, and who set it. */
import type { Stage, Value } from '../../language/ir/types.js';
import { isPlainRecord, isRecord } from '../../language/ir/values.js';
import { atOrAbove } from '../../language/schemas/setting-paths.js';
import { hasFactors, type TrainPlan } from '../../language/schemas/types.js';
import type { Effective } from './types.js';

export function effectiveSettings(
  stage: Stage,
  chosen: TrainPlan | undefined,
  /** Of a stage that continues from an adapter: what is taken from it. */
  taken: Readonly<Record<string, Value | undefined>> = {},
): Readonly<Record<string, Effective>> {
  const effective: Record<string, Effective> = {};
  const add = (path: string, value: Value, inherited: Effective['from']): void => {
    const from = stage.origins[path] ?? inherited;
    if (isPlainRecord(value))
      for (const [name, field] of Object.entries(value)) add(`${path}.${name}`, field, from);
    else effective[path] = { value: withoutText(value), from, ...presetOf(path) };
  };
  const presetOf = (path: string): Pick<Effective, 'preset' | 'module'> =>
    atOrAbove(stage.origins, path) === 'preset' ? { ...atOrAbove(stage.presets, path) } : {};
  for (const [name, value] of Object.entries(stage.settings)) add(name, value, 'default');
  const from = stage.origins['start'] ?? 'author';
  for (const [name, value] of Object.entries(taken))
    if (value !== undefined) effective[name] = { value, from };
  if (chosen === undefined) return effective;
  return { ...effective, ...chosenSettings(stage, chosen, effective) };
}

/** What the planner decided: also where it only confirmed what the file says. */
function chosenSettings(
  stage: Stage,
  chosen: TrainPlan,
  written: Readonly<Record<string, Effective>>,
): Readonly<Record<string, Effective>> {
  const unlessWritten = (path: string, value: number): Effective =>
    written[path]?.value === value
      ? (written[path] ?? { value, from: 'planner' })
      : { value, from: 'planner' };
  const adapter: Readonly<Record<string, Effective>> =
    !hasFactors(chosen.method) || chosen.rank === 0
      ? {}
      : {
          'lora.rank': unlessWritten('lora.rank', chosen.rank),
          'lora.alpha': unlessWritten('lora.alpha', chosen.alpha),
        };
  return {
    using: { value: chosen.method, from: stage.preset === chosen.method ? 'author' : 'planner' },
    ...adapter,
    'batch.micro': unlessWritten('batch.micro', chosen.microBatch),
    'batch.accumulation': { value: chosen.accumulation, from: 'planner' },
    max_length: { value: chosen.maxLength, from: 'planner' },
    ...(chosen.materialised ? { materialised: { value: true, from: 'planner' as const } } : {}),
    ...(chosen.pagedWeights ? { paged_weights: { value: true, from: 'planner' as const } } : {}),
    ...(chosen.offloadedState === undefined
      ? {}
      : { offloaded_state: { value: chosen.offloadedState, from: 'planner' as const } }),
    ...(chosen.recomputedAttention === undefined
      ? {}
      : { recomputed_attention: { value: chosen.recomputedAttention, from: 'planner' as const } }),
    ...(chosen.recomputedMlps === undefined
      ? {}
      : { recomputed_mlps: { value: chosen.recomputedMlps, from: 'planner' as const } }),
    checkpointed_blocks: { value: chosen.checkpointedBlocks, from: 'planner' },
    logits_chunk: { value: chosen.logitsChunk, from: 'planner' },
    ...(chosen.vocabularyShard === undefined
      ? {}
      : { vocabulary_shard: { value: chosen.vocabularyShard, from: 'planner' as const } }),
  };
}

/** A prompt's text is in its file; the plan names the file and its digest. */
function withoutText(value: Value): Value {
  if (Array.isArray(value)) return value.map((item: Value) => withoutText(item));
  if (!isRecord(value)) return value;
  const fields =
    'sha256' in value ? Object.entries(value).filter(([name]) => name !== 'text') : Object.entries(value);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutText(field)]));
}

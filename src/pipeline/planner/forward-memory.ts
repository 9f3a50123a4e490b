/** What of a model's weights, and of an adapter over them, is in memory where nothing of it is trained. */
import { EVALUATION_SHAPES } from '../../compute/evaluation/evaluation-decoder.js';
import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { savedConfig } from '../../compute/models/adapters/kinds.js';
import { adaptedConfig } from '../../compute/models/adapters/whole.js';
import type { ModelConfig } from '../../compute/models/types.js';
import { MOST_MATERIALISED_BYTES } from '../../compute/models/weights/load.js';
import { openAdapter } from '../../compute/packaging/adapters.js';
import { isCompiled } from '../../compute/tensor/runtimes/tensorflow/variants.js';
import type { Call, Reference } from '../../language/ir/program.js';
import type { WeightResidency } from '../../language/ir/runtimes.js';
import type { EvalSettings } from '../../language/schemas/stages/eval.js';
import { resolveAdapter } from '../stages/resolve-models.js';
import { withFactors } from '../stages/train/adapters/kinds.js';
import type { ForwardMemory } from './memory/evaluate.js';
import type { PlanContext } from './plan-context.js';
import {
  type AdaptedModel,
  decodedWeights,
  isInFourBits,
  keptByProcess,
  type PlannedModel,
  stageNamed,
  weightBytes,
} from './stage-models.js';

/** What a stage takes that trains nothing of a model; `longest`: tokens of a row. */
export function forwardMemory(
  context: PlanContext,
  model: PlannedModel,
  longest: number,
  residency: WeightResidency,
): ForwardMemory {
  const config = writtenConfig(context, model);
  const trainer = model.root.adapterOf;
  const trained = trainer === undefined ? undefined : context.trainPlans.get(trainer);
  const adapter = overIt(context, model);
  return {
    config,
    ...residentWeights({ ...model, config, adapter }, residency, trained?.method === 'qlora'),
    isQuantised: isInFourBits(config, trained?.method),
    adapter,
    longest,
    tokenizer: model.tokenizer,
    onDevice: context.machine.devices.length > 0,
    device: context.device,
    node: context.node,
    runtime: context.runtime.name,
    compiles: isCompiled(context.runtime.version),
    largestTensor: context.largestTensor,
    planDecoder: context.planDecoder,
  };
}

/** The adapter over a model: of a folder, or of the training that the model is of. */
export const overIt = (
  context: PlanContext,
  { over, root }: Pick<PlannedModel, 'over' | 'root'>,
): AdapterConfig | undefined =>
  over ?? (root.adapterOf === undefined ? undefined : adapterConfig(context, root.adapterOf));

/** A model that a train stage or a merge writes is a classifier where what it was trained on has labels. */
function writtenConfig(context: PlanContext, model: PlannedModel): ModelConfig {
  const { root } = model;
  const config =
    root.merged === undefined
      ? model.config
      : adaptedConfig(model.config, openAdapter(context.host, root.merged).config);
  const trainer = root.trainedBy === undefined ? undefined : stageNamed(context.program, root.trainedBy);
  if (trainer === undefined || !context.trainPlans.has(trainer.name)) return config;
  const base = context.models.of(trainer.settings['base']);
  return base === undefined ? config : adaptedConfig(config, context.adapter(trainer, base));
}

/** `quantised`: projections are in 4 bits. */
export function residentWeights(
  model: AdaptedModel,
  residency: WeightResidency,
  quantised = false,
): Pick<ForwardMemory, 'weightBytes' | 'decoded' | 'keptByProcess'> {
  const bytes = weightBytes(model);
  const isMaterialised = residency === 'float32' && bytes.materialised <= MOST_MATERIALISED_BYTES;
  const form = isMaterialised
    ? 'materialised'
    : quantised
      ? 'qlora'
      : residency === 'paged'
        ? 'paged'
        : 'lora';
  return {
    weightBytes: bytes[form],
    decoded: decodedWeights(model)[form],
    keptByProcess: keptByProcess(model)[form],
  };
}

/**
 * The adapter that a stage will save, as planned; `undefined` where it trains every weight, or is not planned yet.
 */
function adapterConfig(context: PlanContext, trainer: string): AdapterConfig | undefined {
  const stage = stageNamed(context.program, trainer);
  const plan = context.trainPlans.get(trainer);
  if (stage === undefined || plan === undefined || plan.method === 'full') return undefined;
  const base = context.models.of(stage.settings['base']);
  return base && savedConfig(withFactors(context.adapter(stage, base), plan));
}

/** The model of an evaluation, with the adapter of a folder that is put over it. Throws a `ModelError`. */
export function evaluatedModel(
  context: PlanContext,
  { model, adapter }: Pick<EvalSettings, 'model' | 'adapter'>,
): PlannedModel | undefined {
  const planned = context.models.of(model);
  return planned && { ...planned, over: adapterUnder(context, adapter) };
}

/**
 * The adapter that a stage puts over a base: one that a training will save, as planned, or one of a folder. Throws a `ModelError` where the
 * folder cannot be read.
 */
export function adapterUnder(
  context: PlanContext,
  adapter: Call | Reference | undefined,
): AdapterConfig | undefined {
  if (adapter === undefined) return undefined;
  if ('stage' in adapter) return adapterConfig(context, adapter.stage);
  const named = resolveAdapter(adapter, context.program);
  return named && openAdapter(context.host, named.folder).config;
}

/** Operations of a pass forward over a token. */
export function flopsPerToken(memory: ForwardMemory): number {
  const length = Math.min(128, memory.config.maxPositions);
  const { flops } = memory.planDecoder({
    config: memory.config,
    adapter: memory.adapter,
    trainable: 'none',
    weightBytes: memory.weightBytes,
    dequantised: memory.decoded,
    rows: 1,
    length,
    checkpointedBlocks: 0,
    logitsChunk: EVALUATION_SHAPES.logitsChunk,
  });
  return flops / length;
}

import { evaluationDecoder } from '../../../compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../compute/evaluation/language-model.js';
import { adaptedConfig, labelsOf, wholeTensors } from '../../../compute/models/adapters/whole.js';
import { CHAT_TEMPLATE, readStyle } from '../../../compute/models/chat-template/index.js';
import { unquantised } from '../../../compute/models/config/index.js';
import { padIdOf } from '../../../compute/models/labels.js';
import { type ModelFolder, openModel } from '../../../compute/models/load.js';
import { SINGLE_FILE } from '../../../compute/models/safetensors/read.js';
import { safetensorsChunks } from '../../../compute/models/safetensors/write.js';
import {
  readTrainingPrompt,
  TRAINING_PROMPT_FILE,
  trainingPromptText,
} from '../../../compute/models/training-prompt.js';
import type { Adapter, ModelConfig, WeightStore } from '../../../compute/models/types.js';
import { residentStorage } from '../../../compute/models/weights/load.js';
import { readAdapter } from '../../../compute/packaging/adapters.js';
import { checkAdapter } from '../../../compute/packaging/check-base.js';
import {
  largestDifference,
  type ProbeLogits,
  probeLogits,
  proveMerge,
} from '../../../compute/packaging/merge/proof.js';
import { mergedTensors } from '../../../compute/packaging/merge/tensors.js';
import { mergedCard, mergedConfig } from '../../../compute/packaging/merge/texts.js';
import { discarded } from '../../../compute/tensor/garbage.js';
import { openRuntime } from '../../../compute/tensor/runtimes/index.js';
import type { Runtime } from '../../../compute/tensor/types.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { MergeSettings } from '../../../language/schemas/stages/merge.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { type EvaluatedModel, type OpenBase, openBase, resolveEvaluated } from '../eval/evaluated-model.js';
import { openResolved } from '../open-models.js';
import type { RunStage, StageContext } from '../stage.js';
import { stageAdapter } from '../train/adapters/kinds.js';
import { probeRows } from './probes.js';

/** Where the merged model is in the stage's output. */
const FOLDER = 'model';

/** Merges an adapter into its base, or writes a base in another dtype, and proves that the result answers alike. */
export const run: RunStage = async (context) => {
  const { stage, host, output, residency = 'stored' } = context;
  const settings = settingsOf(stage, 'merge');
  const { dtype } = settings;
  const base = resolveEvaluated(settings.base, context);
  const adapted = settings.adapter && resolveEvaluated(settings.adapter, context);
  const runtime = await openRuntime(context.host, context.runtime, context);

  const before = await write(context, runtime, base, adapted, dtype);

  // The base is released: two models are never in memory together.
  const merged = openModel(host, `${output.path}/${FOLDER}`);
  context.signal.throwIfAborted();
  const after = await logitsOf(
    runtime,
    merged.config,
    merged.loadWeights(residentStorage(residency, merged.config, 'stored')),
    undefined,
    before.probes,
  );
  const differences = proveMerge({
    ...before,
    merged: after,
    dtype,
    hasAdapter: adapted !== undefined,
    at: stage.span,
  });
  const prompt = readTrainingPrompt(host, adapted?.adapter ?? base.base.folder);
  if (prompt !== undefined) output.write(`${FOLDER}/${TRAINING_PROMPT_FILE}`, trainingPromptText(prompt));
  const quantisedTraining = adapted?.storage === 'nf4';
  output.write(
    `${FOLDER}/README.md`,
    mergedCard({
      base: base.label,
      licence: openResolved(host, base.base).licence(),
      dtype,
      adapter: before.adapter,
      labels: merged.config.labels,
      quantisedTraining,
      prompt,
      differences,
      probes: before.probes.length,
    }),
  );
  const metrics = {
    logit_difference: differences.logit,
    base_difference: largestDifference(after, before.base),
  };
  const report = {
    version: 1,
    stage: stage.name,
    base: base.label,
    adapter: adapted?.label ?? null,
    dtype,
    mergedInto: 'original weights',
    trainedOver: adapted === undefined ? null : quantisedTraining ? 'nf4' : 'original weights',
    probes: before.probes.length,
    adapterEffect: differences.effect,
    largestLogit: differences.scale,
    ...metrics,
  };
  output.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  return { outputs: { model: FOLDER, report: 'report.json' }, metrics };
};

/** Before there are weights and logits: the text of a tokenizer that is in a GGUF file takes hundreds of megabytes. */
function copyCompanions({ output }: StageContext, model: ModelFolder): void {
  for (const { name, read } of model.companions()) {
    const content = read();
    output.write(`${FOLDER}/${name}`, content);
    discarded(content.length);
  }
}

interface MergeEvidence {
  readonly base: ProbeLogits;
  readonly adapted: ProbeLogits;
  readonly probes: readonly Int32Array[];
  readonly adapter?: Adapter;
}

/** Writes the merged folder except for its card; the base lives no longer than this call. */
async function write(
  context: StageContext,
  runtime: Runtime,
  base: EvaluatedModel,
  adapted: EvaluatedModel | undefined,
  dtype: MergeSettings['dtype'],
): Promise<MergeEvidence> {
  const { host, output, stage, signal, residency = 'stored' } = context;
  copyCompanions(context, openResolved(host, base.base));
  const subject = { base: base.base, storage: 'stored', adapter: adapted?.adapter } as const;
  const { model, weights }: OpenBase = openBase(host, subject, residency);
  const adapter = adapted?.adapter === undefined ? undefined : readAdapter(host, adapted.adapter);
  if (adapter !== undefined) checkAdapter(adapter, model.config, adapter.path);
  const refusal = adapter && stageAdapter(adapter.config.kind).unmergeable;
  if (refusal !== undefined) throw new UserError(refusal(stage.span, adapted?.label ?? ''));
  const probes = await probeRows(adapted?.artefact, model, context);
  const labels = labelsOf(adapter?.config);
  const alone = labels === undefined ? await logitsOf(runtime, model.config, weights, undefined, probes) : [];
  const withAdapter =
    adapter === undefined ? alone : await logitsOf(runtime, model.config, weights, adapter, probes);
  // a base without a head over labels says nothing of any
  const plain = labels === undefined ? alone : withAdapter.map(({ length }) => new Float32Array(length));

  const names = weights.names();
  let done = 0;
  const tensors = mergedTensors(weights, {
    dtype,
    adapted: adapter && { adapter, config: model.config },
    at: stage.span,
    onTensor: () => {
      done++;
      signal.throwIfAborted();
      context.emit({ type: 'stage.progress', stage: stage.name, done, total: names.length, unit: 'tensors' });
    },
  });
  output.write(`${FOLDER}/${SINGLE_FILE}`, safetensorsChunks(tensors));
  const style = adapter === undefined ? undefined : readStyle(host, adapter.path);
  if (style !== undefined) output.write(`${FOLDER}/${CHAT_TEMPLATE}`, style);
  const untied = labels === undefined && wholeTensors(model.config, adapter?.config).length > 0;
  const classifier = labels && {
    config: adaptedConfig(model.config, adapter?.config),
    padId: padIdOf(model.config),
  };
  const config = mergedConfig(unquantised(model.configJson()), dtype, { untied, classifier });
  output.write(`${FOLDER}/config.json`, config);
  return { base: plain, adapted: withAdapter, probes, adapter };
}

async function logitsOf(
  runtime: Runtime,
  config: ModelConfig,
  weights: WeightStore,
  adapter: Adapter | undefined,
  probes: readonly Int32Array[],
): Promise<ProbeLogits> {
  const decoder = await evaluationDecoder({ runtime, config, weights, adapter });
  try {
    return await probeLogits(decoderModel(decoder), probes);
  } finally {
    await decoder.release();
  }
}

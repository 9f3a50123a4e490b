import { labelsOf } from '../../../compute/models/adapters/whole.js';
import { openAnyModel } from '../../../compute/models/any-model.js';
import { CHAT_TEMPLATE, readStyle } from '../../../compute/models/chat-template/index.js';
import { unquantised } from '../../../compute/models/config/index.js';
import { floatsAsIn } from '../../../compute/models/config/shape.js';
import { padIdOf } from '../../../compute/models/labels.js';
import type { ModelFiles } from '../../../compute/models/load.js';
import {
  readTrainingPrompt,
  TRAINING_PROMPT_FILE,
  trainingPromptText,
} from '../../../compute/models/training-prompt.js';
import type { Adapter } from '../../../compute/models/types.js';
import { readAdapter } from '../../../compute/packaging/adapters.js';
import { largestDifference, type ProbeLogits, proveMerge } from '../../../compute/packaging/merge/proof.js';
import { weightFiles } from '../../../compute/packaging/merge/shards.js';
import { mergedTensors } from '../../../compute/packaging/merge/tensors.js';
import { mergedCard, mergedConfig } from '../../../compute/packaging/merge/texts.js';
import { discarded } from '../../../compute/tensor/garbage.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { MergeSettings } from '../../../language/schemas/stages/merge.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { type EvaluatedModel, resolveEvaluated } from '../eval/evaluated-model.js';
import type { RunStage, StageContext } from '../stage.js';
import { stageAdapter } from '../train/adapters/kinds.js';
import { embeddedMerge, type MergeModels, workerMerge } from './merge-models.js';
import { probeRows } from './probes.js';

/** Where the merged model is in the stage's output. */
const FOLDER = 'model';

/** Merges an adapter into its base, or writes a base in another dtype, and proves that the result answers alike. */
export const run: RunStage = async (context) => {
  const models = await (context.engine === undefined ? embeddedMerge : workerMerge)(context);
  try {
    return await merge(context, models);
  } finally {
    await models.release();
  }
};

async function merge(context: StageContext, models: MergeModels): Promise<StageResult> {
  const { stage, host, output } = context;
  const settings = settingsOf(stage, 'merge');
  const { dtype } = settings;
  const base = resolveEvaluated(settings.base, context);
  const adapted = settings.adapter && resolveEvaluated(settings.adapter, context);
  const before = await write(context, models, base, adapted, dtype);

  // The base is released: two models are never in memory together.
  context.signal.throwIfAborted();
  const after = await models.mergedLogits(`${output.path}/${FOLDER}`, before.probes);
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
      licence: openAnyModel(host, base.base.folder).licence(),
      dtype,
      adapter: before.adapter,
      labels: before.labels,
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
}

/** Before there are weights and logits: the text of a tokenizer that is in a GGUF file takes hundreds of megabytes. */
function copyCompanions({ output }: StageContext, model: Pick<ModelFiles, 'companions'>): void {
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
  readonly labels?: readonly string[];
}

/** Writes the merged folder except for its card; the base lives no longer than this call. */
async function write(
  context: StageContext,
  models: MergeModels,
  base: EvaluatedModel,
  adapted: EvaluatedModel | undefined,
  dtype: MergeSettings['dtype'],
): Promise<MergeEvidence> {
  const { host, output, stage, signal } = context;
  const model = openAnyModel(host, base.base.folder);
  copyCompanions(context, model);
  const adapter = adapted?.adapter === undefined ? undefined : readAdapter(host, adapted.adapter);
  const opened = models.openBase(base, adapted, adapter);
  const refusal = adapter && stageAdapter(adapter.config.kind).unmergeable;
  if (refusal !== undefined) throw new UserError(refusal(stage.span, adapted?.label ?? ''));
  const probes = await probeRows(adapted?.artefact, model, context);
  const labels = labelsOf(adapter?.config);
  const alone = labels === undefined ? await opened.logits(undefined, probes) : [];
  const withAdapter = adapter === undefined ? alone : await opened.logits(adapter, probes);
  // a base without a head over labels says nothing of any
  const plain = labels === undefined ? alone : withAdapter.map(({ length }) => new Float32Array(length));

  const { weights, plan, others } = opened;
  const total = weights.names().length;
  let done = 0;
  const tensors = mergedTensors(weights, {
    dtype,
    ...(plan && { plan }),
    at: stage.span,
    onTensor: () => {
      done++;
      signal.throwIfAborted();
      context.emit({ type: 'stage.progress', stage: stage.name, done, total, unit: 'tensors' });
    },
  });
  for (const [name, content] of weightFiles([...tensors, ...others]))
    output.write(`${FOLDER}/${name}`, content);
  const style = adapter === undefined ? undefined : readStyle(host, adapter.path);
  if (style !== undefined) output.write(`${FOLDER}/${CHAT_TEMPLATE}`, style);
  const padId = padIdOf(model.facts);
  const classes = labels && opened.classifierFields(labels, padId);
  const json = others.length > 0 ? model.configJson() : unquantised(model.configJson());
  const config = mergedConfig(json, dtype, { untied: plan?.untied === true, ...(classes && { classes }) });
  const original = model.known === undefined ? host.readText(`${base.base.folder}/config.json`) : '';
  output.write(`${FOLDER}/config.json`, floatsAsIn(original, config));
  return { base: plain, adapted: withAdapter, probes, adapter, labels: labels ?? model.facts.labels };
}

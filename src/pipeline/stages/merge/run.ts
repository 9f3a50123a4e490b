import { labelsOf } from '../../../compute/models/adapters/whole.js';
import {
  readTrainingPrompt,
  TRAINING_PROMPT_FILE,
  trainingPromptText,
} from '../../../compute/models/training-prompt.js';
import type { Adapter } from '../../../compute/models/types.js';
import { readAdapter } from '../../../compute/packaging/adapters.js';
import { mergeDtypes, type StoredAs, storedAs } from '../../../compute/packaging/merge/dtypes.js';
import {
  largestDifference,
  type ProbeLogits,
  probePerplexity,
  proveMerge,
} from '../../../compute/packaging/merge/proof.js';
import { mergedCard } from '../../../compute/packaging/merge/texts.js';
import { collect } from '../../../compute/tensor/garbage.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { type EvaluatedModel, resolveAdapted, resolveEvaluated } from '../eval/evaluated-model.js';
import { openAnyResolved } from '../open-models.js';
import type { RunStage, StageContext } from '../stage.js';
import { stageAdapter } from '../train/adapters/kinds.js';
import { embeddedMerge, type MergeModels, workerMerge } from './merge-models.js';
import { probeRows } from './probes.js';
import { checkStored, copyCompanions, FOLDER, type MergedParts, writeModel } from './written-model.js';

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
  const stored = storedAs(settings.dtype, settings.file_format);
  const base = resolveEvaluated(settings.base, context);
  const adapted = settings.adapter && resolveAdapted(base, settings.adapter, context);
  const before = await write(context, models, { base, adapted, stored });

  // The base is released: two models are never in memory together.
  context.signal.throwIfAborted();
  const after = await models.mergedLogits(`${output.path}/${FOLDER}`, before.probes);
  const differences = proveMerge({
    ...before,
    merged: after,
    stored,
    hasAdapter: adapted !== undefined,
    at: stage.span,
  });
  const perplexity = perplexities(after, before);
  const prompt = readTrainingPrompt(host, adapted?.adapter ?? base.base.folder);
  if (prompt !== undefined) output.write(`${FOLDER}/${TRAINING_PROMPT_FILE}`, trainingPromptText(prompt));
  const quantisedTraining = adapted?.storage === 'nf4';
  output.write(
    `${FOLDER}/README.md`,
    mergedCard({
      base: base.label,
      licence: before.licence,
      weights: weightsText(stored),
      isGguf: stored.format === 'gguf',
      adapter: before.adapter,
      ...(adapted?.artefact === undefined && adapted !== undefined && { folder: adapted.label }),
      labels: before.labels,
      quantisedTraining,
      prompt,
      differences,
      probes: before.probes.length,
      ...(perplexity && { perplexity }),
    }),
  );
  const metrics = {
    logit_difference: differences.logit,
    base_difference: largestDifference(after, before.base),
    ...(perplexity && {
      perplexity: perplexity.merged,
      perplexity_ratio: perplexity.merged / perplexity.before,
    }),
  };
  const report = {
    version: 1,
    stage: stage.name,
    base: base.label,
    adapter: adapted?.label ?? null,
    dtype: stored.dtype,
    format: stored.format,
    mergedInto: 'original weights',
    trainedOver: adapted === undefined ? null : quantisedTraining ? 'nf4' : 'original weights',
    probes: before.probes.length,
    adapterEffect: differences.effect,
    largestLogit: differences.scale,
    relativeDifference: differences.relative,
    ...metrics,
  };
  output.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  return { outputs: { model: FOLDER, report: 'report.json' }, metrics };
}

/** A classifier's logits say nothing of the next token. */
const perplexities = (after: ProbeLogits, { adapted, probes, labels }: MergeEvidence) =>
  labels === undefined
    ? { merged: probePerplexity(after, probes), before: probePerplexity(adapted, probes) }
    : undefined;

const weightsText = (stored: StoredAs): string =>
  stored.format === 'gguf' ? `${stored.dtype.toUpperCase()} (GGUF)` : mergeDtypes[stored.dtype].torch;

interface MergeEvidence {
  readonly base: ProbeLogits;
  readonly adapted: ProbeLogits;
  readonly probes: readonly Int32Array[];
  readonly adapter?: Adapter;
  readonly labels?: readonly string[];
  readonly licence?: string;
}

interface MergeRequest {
  readonly base: EvaluatedModel;
  readonly adapted: EvaluatedModel | undefined;
  readonly stored: StoredAs;
}

/** Writes the merged model except for its card; the base lives no longer than this call. */
async function write(
  context: StageContext,
  models: MergeModels,
  { base, adapted, stored }: MergeRequest,
): Promise<MergeEvidence> {
  const { host, stage } = context;
  const model = openAnyResolved(host, base.base);
  const adapter = adapted?.adapter === undefined ? undefined : readAdapter(host, adapted.adapter);
  const parts: MergedParts = {
    stored,
    model,
    labels: { base: base.label, ...(adapted && { adapter: adapted.label }) },
    ...(adapter && { adapter }),
  };
  checkStored(context, parts);
  copyCompanions(context, parts);
  const refusal = adapter && stageAdapter(adapter.config.kind).unmergeable;
  if (refusal !== undefined) throw new UserError(refusal(stage.span, adapted?.label ?? ''));
  const opened = models.openBase(base, adapted, adapter);
  const probes = await probeRows(adapted?.artefact, model, context);
  const labels = labelsOf(adapter?.config);
  const alone = labels === undefined ? await opened.logits(undefined, probes) : [];
  const withAdapter = adapter === undefined ? alone : await opened.logits(adapter, probes);
  // a base without a head over labels says nothing of any
  const plain = labels === undefined ? alone : withAdapter.map(({ length }) => new Float32Array(length));
  collect();
  writeModel(context, parts, opened);
  return {
    ...{ base: plain, adapted: withAdapter, probes, adapter },
    ...{ labels: labels ?? model.facts.labels, licence: model.licence() },
  };
}

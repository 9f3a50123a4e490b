/** What a merge asks of the models that it is over, on either engine. */

import { modelSpec } from '../../../compute/accelerate/model-spec.js';
import { startWorker } from '../../../compute/accelerate/worker.js';
import { evaluationDecoder } from '../../../compute/evaluation/evaluation-decoder.js';
import { decoderModel, type Routing } from '../../../compute/evaluation/language-model.js';
import { adaptedConfig, labelsOf } from '../../../compute/models/adapters/whole.js';
import { openAnyModel } from '../../../compute/models/any-model.js';
import { problemType } from '../../../compute/models/label-names.js';
import { classifierFields, labelFields } from '../../../compute/models/labels.js';
import { openModelAt } from '../../../compute/models/open.js';
import type { WritableTensor } from '../../../compute/models/safetensors/write.js';
import type { Adapter, ModelConfig, WeightStore } from '../../../compute/models/types.js';
import { anyWeights } from '../../../compute/models/weights/any.js';
import { residentStorage } from '../../../compute/models/weights/load.js';
import type { LoadedAdapter } from '../../../compute/packaging/adapter-folder.js';
import { checkAdapter } from '../../../compute/packaging/check-base.js';
import { knownMerge, type MergePlan, namedMerge } from '../../../compute/packaging/merge/plan.js';
import { type ProbeLogits, probeLogits } from '../../../compute/packaging/merge/proof.js';
import { collect } from '../../../compute/tensor/garbage.js';
import { openRuntime } from '../../../compute/tensor/runtimes/index.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { type EvaluatedModel, openBase } from '../eval/evaluated-model.js';
import { weightsFolder } from '../eval/worker-models.js';
import { openAnyResolved } from '../open-models.js';
import type { StageContext } from '../stage.js';

type Probes = readonly Int32Array[];

export interface OpenedBase {
  readonly weights: WeightStore;
  /** Tensors that are written as they are. */
  readonly others: readonly WritableTensor[];
  readonly plan?: MergePlan;
  /** What the config of a classifier says besides. */
  classifierFields(labels: readonly string[], padId: number): Json;
  /** Of the base, or of the base with the adapter. */
  logits(adapter: Adapter | undefined, probes: Probes): Promise<ProbeLogits>;
}

export interface MergeModels {
  /** Throws a `ModelError` for an adapter that does not fit. */
  openBase(
    base: EvaluatedModel,
    adapted: EvaluatedModel | undefined,
    adapter: LoadedAdapter | undefined,
  ): OpenedBase;
  mergedLogits(folder: string, probes: Probes): Promise<ProbeLogits>;
  release(): Promise<void>;
}

const subjectOf = (base: EvaluatedModel, adapted: EvaluatedModel | undefined) => ({
  base: base.base,
  storage: 'stored' as const,
  ...(adapted?.adapter !== undefined && { adapter: adapted.adapter }),
});

/** Over decoders of this process. */
export async function embeddedMerge(context: StageContext): Promise<MergeModels> {
  const { host, residency = 'stored' } = context;
  const runtime = await openRuntime(host, context.runtime, context);
  const logitsOf = async (
    config: ModelConfig,
    weights: WeightStore,
    adapter: Adapter | undefined,
    probes: Probes,
  ): Promise<ProbeLogits> => {
    const decoder = await evaluationDecoder({ runtime, config, weights, ...(adapter && { adapter }) });
    try {
      return await probeLogits(decoderModel(decoder), probes);
    } finally {
      await decoder.release();
    }
  };
  return {
    openBase(base, adapted, adapter) {
      const { model, weights } = openBase(host, subjectOf(base, adapted), residency);
      const { config } = model;
      if (adapter !== undefined) checkAdapter(adapter, config, adapter.path);
      return {
        weights,
        others: [],
        ...(adapter && { plan: knownMerge(adapter, config, weights) }),
        classifierFields: (_, padId) => classifierFields(adaptedConfig(config, adapter?.config), padId),
        logits: (over, probes) => logitsOf(config, weights, over, probes),
      };
    },
    async mergedLogits(folder, probes) {
      // the base
      collect();
      const merged = openModelAt(host, folder);
      const { config } = merged;
      const weights = merged.loadWeights(residentStorage(residency, config, 'stored'));
      return logitsOf(config, weights, undefined, probes);
    },
    release: async () => {},
  };
}

/** By a Python process; here, weights stay in their files and are read piece by piece. */
export async function workerMerge(context: StageContext): Promise<MergeModels> {
  const { host, engine, stage, signal, threads } = context;
  if (engine === undefined) throw new Error('the stage has no ranks to compute with');
  const worker = startWorker(host, {
    ...{ engine, threads, at: stage.span },
    printed: (text) => context.printed?.(text),
    memory: (bytes) => context.usesMemory?.(bytes),
  });
  const made = new Map<string, string>();
  const logitsOf = async (
    folder: string,
    {
      label,
      adapter,
      labels,
      routing,
    }: { label: string; adapter?: string; labels?: readonly string[] | undefined; routing: Routing },
    probes: Probes,
  ): Promise<ProbeLogits> => {
    const { facts } = openAnyModel(host, folder);
    const all = labels ?? facts.labels;
    const named = all && { labels: all };
    const spec = modelSpec(host, folder, {
      ...{ storage: 'stored', dtype: 'float32', attention: engine.attention },
      ...named,
    });
    const over = adapter !== undefined && { adapter };
    const model = await worker.open({ label, spec, facts: { ...facts, ...named }, ...over }, signal);
    return probeLogits(model, probes, routing);
  };
  return {
    openBase(base, adapted, adapter) {
      const model = openAnyResolved(host, base.base);
      const known = model.known && openBase(host, subjectOf(base, adapted), 'paged');
      if (adapter !== undefined && known) checkAdapter(adapter, known.model.config, adapter.path);
      const read = known ? { floats: known.weights, others: [] } : anyWeights(host, base.base.folder);
      const plan =
        adapter &&
        (known
          ? knownMerge(adapter, known.model.config, read.floats)
          : namedMerge(adapter, read.floats, adapter.path, modelTypeOf(model.configJson())));
      return {
        weights: read.floats,
        others: read.others,
        ...(plan && { plan }),
        classifierFields: (labels, padId) =>
          known
            ? classifierFields(adaptedConfig(known.model.config, adapter?.config), padId)
            : foreignFields(model.configJson(), labels, padId),
        logits: (over, probes) =>
          logitsOf(
            weightsFolder(context, base.base, made),
            {
              label: base.label,
              ...(over !== undefined && adapted?.adapter !== undefined && { adapter: adapted.adapter }),
              labels: labelsOf(over?.config),
              routing: 'noted',
            },
            probes,
          ),
      };
    },
    // rounding may change which of two experts that are next to equal is asked, after which no logit says anything of the merge
    mergedLogits: (folder, probes) =>
      logitsOf(folder, { label: 'the merged model', routing: 'repeated' }, probes),
    release: () => worker.close(),
  };
}

/** Of its text part, where it also sees. */
function modelTypeOf(config: Json): string {
  const inner = config['text_config'];
  const type = isJson(inner) ? inner['model_type'] : config['model_type'];
  return typeof type === 'string' ? type : '';
}

/** The class of transformers that classifies has the name of the one that it was made from. */
function foreignFields(config: Json, labels: readonly string[], padId: number): Json {
  const [first] = Array.isArray(config['architectures']) ? config['architectures'] : [];
  return {
    architectures: [String(first ?? '').replace(/For[A-Z]\w*$|$/, 'ForSequenceClassification')],
    ...labelFields(labels),
    pad_token_id: padId,
    problem_type: problemType(labels),
  };
}

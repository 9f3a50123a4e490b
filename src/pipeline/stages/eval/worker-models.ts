import { modelSpec } from '../../../compute/accelerate/model-spec.js';
import type { ModelSpec } from '../../../compute/accelerate/spec.js';
import { startWorker } from '../../../compute/accelerate/worker.js';
import { readAdapterFacts } from '../../../compute/packaging/adapter-facts.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { isMade, modelIdentity, openAnyResolved, openResolved } from '../open-models.js';
import type { ResolvedModel } from '../resolve-models.js';
import type { StageContext } from '../stage.js';
import { decodedTensors, writeModel } from '../train/model-files.js';
import { precisionOf } from '../train/precision.js';
import type { EvaluatedModel } from './evaluated-model.js';
import type { ModelOpener, OpenModels } from './opened-models.js';

/** In a Python process, which keeps a base that two models share. */
export const workerModels: OpenModels = async (context) => openerOf(context);

function openerOf(context: StageContext): ModelOpener {
  const { host, engine, stage, signal } = context;
  if (engine === undefined) throw new Error('the stage has no ranks to compute with');
  const worker = startWorker(host, {
    engine,
    threads: context.threads,
    at: stage.span,
    printed: (text) => context.printed?.(text),
    memory: (bytes) => context.usesMemory?.(bytes),
  });
  const made = new Map<string, string>();
  return {
    describe(model) {
      const base = openAnyResolved(host, model.base);
      const adapter =
        model.adapter === undefined ? undefined : readAdapterFacts(host, model.adapter, base.known?.config);
      const labels = adapter?.labels ?? base.facts.labels;
      const facts = { ...base.facts, ...(labels && { labels }) };
      return {
        facts: base.facts,
        ...(labels && { labels }),
        virtualTokens: adapter?.virtualTokens ?? 0,
        tokenizer: () => base.tokenizer(),
        open: () => {
          const folder = weightsFolder(context, model.base, made);
          const spec = modelSpec(host, folder, {
            ...(labels && { labels }),
            storage: model.storage,
            dtype: dtypeOf(model, context),
            attention: engine.attention,
          });
          const { label, adapter: over } = model;
          return worker.open({ label, spec, facts, ...(over !== undefined && { adapter: over }) }, signal);
        },
      };
    },
    release: () => worker.close(),
  };
}

/**
 * Where PyTorch finds a base's weights; fresh ones, and those with further tokens, are written first. `made`: those
 * that were, by what they are of.
 */
export function weightsFolder(
  { host, work }: Pick<StageContext, 'host' | 'work'>,
  base: ResolvedModel,
  made: Map<string, string>,
): string {
  if (!isMade(base)) return base.folder;
  const key = modelIdentity(base);
  const known = made.get(key);
  if (known !== undefined) return known;
  const model = openResolved(host, base);
  const scratch = work.scratch();
  const name = `base-${made.size}`;
  writeModel(scratch, name, model, model.config, decodedTensors(model.loadWeights('paged')));
  const folder = `${scratch.path}/${name}`;
  made.set(key, folder);
  return folder;
}

/** A model trained with bfloat16 products on a GPU is evaluated so too; anything else in float32. */
function dtypeOf({ artefact }: EvaluatedModel, { engine }: StageContext): ModelSpec['dtype'] {
  const isBf16 =
    artefact?.stage.kind === 'train' && precisionOf(settingsOf(artefact.stage, 'train')) === 'bf16';
  return isBf16 && engine?.device === 'cuda' ? 'bfloat16' : 'float32';
}

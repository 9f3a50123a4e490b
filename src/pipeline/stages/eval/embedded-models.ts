import { evaluationDecoder } from '../../../compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../compute/evaluation/language-model.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { labelsOf } from '../../../compute/models/adapters/whole.js';
import { readAdapter } from '../../../compute/packaging/adapters.js';
import { checkAdapter } from '../../../compute/packaging/check-base.js';
import { collect } from '../../../compute/tensor/garbage.js';
import { openRuntime } from '../../../compute/tensor/runtimes/index.js';
import { type EvaluatedModel, type OpenBase, openBase, sameWeights } from './evaluated-model.js';
import type { OpenModels } from './opened-models.js';

/** Over decoders of this process; a base that two models share is read once. */
export const embeddedModels: OpenModels = async (context) => {
  const { host, residency = 'float32' } = context;
  const runtime = await openRuntime(host, context.runtime, context);
  let held: { readonly model: EvaluatedModel; readonly base: OpenBase } | undefined;
  const baseOf = (model: EvaluatedModel): OpenBase => {
    if (held !== undefined && sameWeights(held.model, model) && held.model.storage === model.storage)
      return held.base;
    // lets go of the others before these are read
    held = undefined;
    const base = openBase(host, model, residency);
    held = { model, base };
    return base;
  };
  return {
    describe(model) {
      const { model: folder, weights } = baseOf(model);
      const adapter = model.adapter === undefined ? undefined : readAdapter(host, model.adapter);
      if (adapter !== undefined) checkAdapter(adapter, folder.config, adapter.path);
      const labels = labelsOf(adapter?.config) ?? folder.config.labels;
      return {
        facts: folder.config,
        ...(labels && { labels }),
        virtualTokens: virtualTokensOf(adapter?.config),
        tokenizer: () => folder.tokenizer(),
        open: async () => {
          // what the passes of another model have left
          collect();
          return decoderModel(await evaluationDecoder({ runtime, config: folder.config, weights, adapter }));
        },
      };
    },
    release: async () => {
      held = undefined;
    },
  };
};

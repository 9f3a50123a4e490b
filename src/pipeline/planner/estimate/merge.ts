import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { NO_TOKENIZER } from '../../../compute/models/tokenizer/memory.js';
import { plannedBytes } from '../../../compute/models/weights/load.js';
import { storedAs } from '../../../compute/packaging/merge/dtypes.js';
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import { isReference } from '../../../language/ir/values.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { probeTokens } from '../../stages/merge/probes.js';
import { adapterUnder, forwardMemory, residentWeights } from '../forward-memory.js';
import { mergePeak } from '../memory/evaluate.js';
import type { Peak } from '../plan-json.js';
import { copySeconds } from '../speed.js';
import { formatWritten } from '../stage-models.js';
import { diskSeconds } from '../time/other-times.js';
import { memoryBudgetOf } from '../train-stage.js';
import { onEngine } from './on-engine.js';
import { firstThatFits, here } from './place.js';
import { type Estimator, NOTHING } from './types.js';

export const mergeEstimate: Estimator = async ({ context, stage, limit }) => {
  const { adapter: merged, base: baseModel, dtype, file_format } = settingsOf(stage, 'merge');
  const base = context.models.of(baseModel);
  if (base === undefined) return NOTHING;
  const adapter = adapterUnder(context, merged);
  // probes are rows of the training, or texts
  const isTrained = isReference(merged);
  const tokenizer = isTrained ? NO_TOKENIZER : base.tokenizer;
  const stored = storedAs(dtype, file_format);
  const config = adaptedConfig(base.config, adapter);
  const written = { ...base, config, format: formatWritten(stored, config) };
  const bytes = plannedBytes(config, written.format, 'stored');
  const peakOf = (residency: WeightResidency): Peak => {
    const before = {
      ...forwardMemory(context, base, 32, residency),
      ...residentWeights({ ...base, adapter }, residency),
      adapter,
    };
    const after = forwardMemory(context, written, 32, residency);
    return mergePeak(
      { ...before, tokenizer },
      { ...after, tokenizer },
      { probed: probeTokens(isTrained), cutsTexts: !isTrained, writesGguf: stored.format === 'gguf' },
    );
  };
  const { engine } = context;
  if (engine.name === 'accelerate')
    return {
      ...onEngine(context, engine, base, { longest: 32 }, adapter),
      seconds: diskSeconds(4 * bytes, context.declared),
      diskBytes: bytes + base.tokenizerBytes,
    };
  return {
    ...firstThatFits(memoryBudgetOf(context, limit), ['stored', 'paged'], peakOf),
    seconds: here(context, copySeconds(4 * bytes)),
    diskBytes: bytes + base.tokenizerBytes,
  };
};

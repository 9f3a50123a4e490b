/** Every rule. A new one needs a file, a line here, and a page in `docs/errors`. */
import { alphaOutOfProportion } from './rules/alpha-out-of-proportion.js';
import { clipOutOfRange } from './rules/clip-out-of-range.js';
import { dropoutOnSmallData } from './rules/dropout-on-small-data.js';
import { evaluatesOnValid } from './rules/evaluates-on-valid.js';
import { gateOfOtherModel } from './rules/gate-of-other-model.js';
import { licenceUnknown } from './rules/licence-unknown.js';
import { lossOnPrompt } from './rules/loss-on-prompt.js';
import { neverEvaluated } from './rules/never-evaluated.js';
import { noBaseline } from './rules/no-baseline.js';
import { noDeduplication } from './rules/no-deduplication.js';
import { noEarlyStopping } from './rules/no-early-stopping.js';
import { noEvalGate } from './rules/no-eval-gate.js';
import { noGeneralMix } from './rules/no-general-mix.js';
import { noNearDeduplication } from './rules/no-near-deduplication.js';
import { noValidation } from './rules/no-validation.js';
import { overflowTruncates } from './rules/overflow-truncates.js';
import { patienceOutOfReach } from './rules/patience-out-of-reach.js';
import { rankTooLow } from './rules/rank-too-low.js';
import { rateOutOfRange } from './rules/rate-out-of-range.js';
import { targetsWithoutMlp } from './rules/targets-without-mlp.js';
import { tooFewRows } from './rules/too-few-rows.js';
import { tooManyEpochs } from './rules/too-many-epochs.js';
import { trainTestOverlap } from './rules/train-test-overlap.js';
import { unpinnedData } from './rules/unpinned-data.js';
import { unpinnedModel } from './rules/unpinned-model.js';
import { warmupOutOfRange } from './rules/warmup-out-of-range.js';
import type { Rule } from './types.js';

/** In order of their codes. */
export const rules: readonly Rule[] = [
  rateOutOfRange,
  alphaOutOfProportion,
  targetsWithoutMlp,
  tooManyEpochs,
  noValidation,
  noEarlyStopping,
  noEvalGate,
  tooFewRows,
  noGeneralMix,
  warmupOutOfRange,
  unpinnedModel,
  licenceUnknown,
  trainTestOverlap,
  evaluatesOnValid,
  gateOfOtherModel,
  neverEvaluated,
  noBaseline,
  noDeduplication,
  noNearDeduplication,
  overflowTruncates,
  lossOnPrompt,
  dropoutOnSmallData,
  clipOutOfRange,
  rankTooLow,
  patienceOutOfReach,
  unpinnedData,
];

export const ruleIds: readonly string[] = rules.map(({ id }) => id);

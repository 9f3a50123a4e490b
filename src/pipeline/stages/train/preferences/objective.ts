/** The objective of a train stage, as it is computed. */
import type { ModelConfig } from '../../../../compute/models/types.js';
import type { PreferenceObjective } from '../../../../compute/training/index.js';
import type { Call } from '../../../../language/ir/program.js';
import { isCall } from '../../../../language/ir/values.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import { lookUp } from '../../../../language/source/look-up.js';

/** The one label of a reward model. */
const REWARD_LABELS: readonly string[] = ['reward'];

/** That of a base which is a reward model already is kept, and with it its head. */
export const rewardLabels = ({ labels }: Pick<ModelConfig, 'labels'>): readonly string[] =>
  labels?.length === 1 ? labels : REWARD_LABELS;

/** `undefined` for a training that learns to write. */
export const objectiveOf = ({
  objective,
}: Pick<TrainSettings, 'objective'>): PreferenceObjective | undefined =>
  isCall(objective) ? lookUp(OBJECTIVES, objective.call)?.(objective.args) : undefined;

type Args = Call['args'];

const number = (args: Args, name: string): number => Number(args[name]);

const OBJECTIVES: Readonly<Record<string, (args: Args) => PreferenceObjective>> = {
  dpo: (args) => ({
    kind: 'dpo',
    beta: number(args, 'beta'),
    loss: args['loss'] === 'ipo' || args['loss'] === 'hinge' ? args['loss'] : 'sigmoid',
    labelSmoothing: number(args, 'label_smoothing'),
    sft: number(args, 'sft'),
  }),
  orpo: (args) => ({ kind: 'orpo', beta: number(args, 'beta') }),
  simpo: (args) => ({ kind: 'simpo', beta: number(args, 'beta'), gamma: number(args, 'gamma') }),
  kto: (args) => ({
    kind: 'kto',
    beta: number(args, 'beta'),
    desirable: number(args, 'desirable'),
    undesirable: number(args, 'undesirable'),
  }),
  reward: () => ({ kind: 'reward' }),
};

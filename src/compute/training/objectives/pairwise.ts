/**
 * Losses of pairs, and their derivatives by the log-probabilities of the answers. Sources: DPO arXiv 2305.18290, with label
 * smoothing as in its authors' code; IPO 2310.12036, by token as its authors advise; hinge 2305.10425; ORPO 2403.07691;
 * SimPO 2405.14734; reward models: Bradley and Terry, as in 2203.02155.
 */
import { counted, mean, ratio, rewardOf } from './rewards.js';
import type {
  AnswerSums,
  DpoObjective,
  OrpoObjective,
  PairLoss,
  PairObjective,
  SimpoObjective,
} from './types.js';

/**
 * Loss of a pair in nats, its derivatives by the two summed log-probabilities (`slopes`), and the rewards of both
 * answers.
 */
export function pairLoss(objective: PairObjective, chosen: AnswerSums, rejected: AnswerSums): PairLoss {
  const rule = RULES[objective.kind] as Rule<PairObjective>;
  const rewards = [rewardOf(objective, chosen), rewardOf(objective, rejected)] as const;
  return { ...rule(objective, chosen, rejected), rewards };
}

type Rule<O> = (objective: O, chosen: AnswerSums, rejected: AnswerSums) => Omit<PairLoss, 'rewards'>;

const RULES: { readonly [K in PairObjective['kind']]: Rule<Extract<PairObjective, { kind: K }>> } = {
  dpo: (objective, chosen, rejected) => DPO_LOSSES[objective.loss](objective, chosen, rejected),
  orpo: oddsRatio,
  simpo: ({ beta, gamma }: SimpoObjective, chosen, rejected) => {
    const margin = beta * (mean(chosen) - mean(rejected)) - gamma;
    const slope = -beta * sigmoid(-margin);
    return { loss: -logSigmoid(margin), slopes: [slope / counted(chosen), -slope / counted(rejected)] };
  },
  reward: (_, chosen, rejected) => {
    const margin = chosen.sum - rejected.sum;
    const slope = -sigmoid(-margin);
    return { loss: -logSigmoid(margin), slopes: [slope, -slope] };
  },
};

const DPO_LOSSES: Readonly<Record<DpoObjective['loss'], Rule<DpoObjective>>> = {
  sigmoid({ beta, labelSmoothing }, chosen, rejected) {
    const margin = beta * (ratio(chosen) - ratio(rejected));
    const slope = beta * (labelSmoothing * sigmoid(margin) - (1 - labelSmoothing) * sigmoid(-margin));
    const loss = -(1 - labelSmoothing) * logSigmoid(margin) - labelSmoothing * logSigmoid(-margin);
    return { loss, slopes: [slope, -slope] };
  },
  ipo({ beta }, chosen, rejected) {
    const [own, other] = [counted(chosen), counted(rejected)];
    const off = ratio(chosen) / own - ratio(rejected) / other - 1 / (2 * beta);
    return { loss: off ** 2, slopes: [(2 * off) / own, (-2 * off) / other] };
  },
  hinge({ beta }, chosen, rejected) {
    const short = 1 - beta * (ratio(chosen) - ratio(rejected));
    return short > 0 ? { loss: short, slopes: [-beta, beta] } : { loss: 0, slopes: [0, 0] };
  },
};

/** Without the cross entropy of prompt and chosen answer, which counts over the whole batch. */
function oddsRatio(
  { beta }: OrpoObjective,
  chosen: AnswerSums,
  rejected: AnswerSums,
): Omit<PairLoss, 'rewards'> {
  const [own, other] = [uncertain(mean(chosen)), uncertain(mean(rejected))];
  const odds = own - other - (log1mexp(own) - log1mexp(other));
  // d(l − log(1 − e^l)) ÷ dl = 1 ÷ (1 − e^l)
  const slope = -beta * sigmoid(-odds);
  return {
    loss: -beta * logSigmoid(odds),
    slopes: [slope / -Math.expm1(own) / counted(chosen), -slope / -Math.expm1(other) / counted(rejected)],
  };
}

export const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

const logSigmoid = (x: number): number => (x >= 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x)));

/** The odds of what is certain are infinite: it is taken to be certain but for 1e-12. */
const uncertain = (logProbability: number): number => Math.min(logProbability, -1e-12);

/** log(1 − e^x) for x < 0 (Mächler 2012). */
const log1mexp = (x: number): number => (x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x)));

/** Rates, betas, epochs and bases of trainings that learn from preferences. */
import { referenceIn } from '../../check/stage-settings.js';
import type { CheckedStage } from '../../check/stages.js';
import { modelUnder } from '../../check/tokenizers.js';
import type { Call } from '../../ir/program.js';
import { lookUp } from '../../source/look-up.js';
import {
  hasSmallBase,
  isAdapter,
  isFromScratch,
  isHead,
  isVirtual,
  learnsOnce,
  objectiveOf,
} from '../lineage.js';
import { callAt, numberAt, numberText, spanOf } from '../places.js';
import { aboutValue, each, type Rule } from '../rule.js';

/** The least rate that is too high, and the rate that is usual. */
interface Rate {
  readonly tooHigh: number;
  readonly usual: number;
}
type Rates = Readonly<Record<'adapter' | 'full', Rate>>;

/** Of objectives that move a trained model a little. */
const GENTLE: Rates = {
  adapter: { tooHigh: 5e-5, usual: 5e-6 },
  full: { tooHigh: 5e-6, usual: 5e-7 },
};
const RATES: Readonly<Record<string, Rates>> = {
  ...{ dpo: GENTLE, kto: GENTLE, simpo: GENTLE },
  orpo: { adapter: { tooHigh: 5e-4, usual: 8e-5 }, full: { tooHigh: 5e-5, usual: 8e-6 } },
  reward: { adapter: { tooHigh: 5e-4, usual: 1e-4 }, full: { tooHigh: 5e-5, usual: 1e-5 } },
};

/** By this factor, a base of a few million parameters takes higher rates. */
const SMALL = 20;

interface Range {
  readonly low: number;
  readonly high: number;
  readonly usual: number;
}

/** Products in decimals: 20 · 5e-5 is 1e-3. */
const scaled = ({ tooHigh, usual }: Rate, factor: number): Rate => ({
  tooHigh: Number((factor * tooHigh).toPrecision(3)),
  usual: Number((factor * usual).toPrecision(3)),
});

/** From the papers and the recipes that their reason names. */
const BETAS: Readonly<Record<string, Range>> = {
  dpo: { low: 0.01, high: 0.5, usual: 0.1 },
  ipo: { low: 0.01, high: 1, usual: 0.1 },
  kto: { low: 0.01, high: 0.5, usual: 0.1 },
  orpo: { low: 0.05, high: 1, usual: 0.1 },
  simpo: { low: 1, high: 10, usual: 2 },
};

/** IPO's beta is another one than DPO's. */
const betaOf = ({ call, args }: Call): Range | undefined =>
  lookUp(BETAS, args['loss'] === 'ipo' ? 'ipo' : call);

/** Objectives that compare answers of a model which answers already. */
const NEEDS_SFT: ReadonlySet<string> = new Set(['dpo', 'kto', 'simpo']);

/** Models that continue texts, by their names on the Hub, where the tuned ones of a family are named otherwise. */
const PLAIN: readonly RegExp[] = [
  /[-_.](?:base|pt)(?:$|[-_.])/i,
  /(?:^|\/)gpt2(?:-medium|-large|-xl)?$/i,
  /\/(?:gpt-neo|gpt-j|pythia|OLMo|phi-(?:1|1_5|2)$)/,
  /^HuggingFaceTB\/SmolLM2?-/,
  /^Qwen\/Qwen(?:1\.5|2|2\.5)-\d/,
  /^meta-llama\/(?:Meta-)?Llama-\d/,
  /^google\/gemma-/,
  /^mistralai\/Mistral-7B-v/,
  /^tiiuae\/falcon-/i,
];
const TUNED = /instruct|chat|sft|dpo|orpo|kto|rlhf|tulu|zephyr|hermes|(?:^|[-_])it(?:$|[-_])/i;

/** The name of a base that was never taught to answer, as far as its name says. */
function plainBase(checked: CheckedStage, stages: Parameters<typeof modelUnder>[1]): string | undefined {
  if (checked.stage.settings['start'] !== undefined || referenceIn(checked, 'base') !== undefined)
    return undefined;
  const model = modelUnder(checked, stages);
  const name = model?.call === 'hf' ? String(model.args['repository']) : undefined;
  return name !== undefined && !TUNED.test(name) && PLAIN.some((family) => family.test(name))
    ? name
    : undefined;
}

export const preferenceRules: readonly Rule[] = [
  {
    id: 'preference-rate-too-high',
    code: 'FTP1027',
    level: 'warning',
    doc: 'A learning rate of 5e-5 or more for `dpo`, `kto` or `simpo` with an adapter, of 5e-6 or more without; for `orpo` and `reward`, ten times that; twenty times that if the base is on this machine and has at most 20 million parameters.',
    reason:
      'Preferences move a model that can answer already, and take a tenth of the rate of supervised fine-tuning or less: the script of TRL 1.16 for DPO uses 5e-6 with LoRA and 5e-7 for all weights, that for KTO 5e-7, and SimPO 3e-7 to 1e-6 (arXiv:2405.14734). At a high rate both answers soon become unlikely, and the model repeats itself or no longer writes sentences, while the accuracy of rewards looks good. ORPO also learns the answers, at 8e-6 for all weights (arXiv:2403.07691), and a reward model trains a fresh head: 1e-4 is the default of TRL.',
    check: each('train', (checked, pipeline) => {
      const objective = objectiveOf(checked);
      const rate = numberAt(checked, 'optimizer.rate');
      const isAdam = callAt(checked, 'optimizer')?.call.startsWith('adamw') === true;
      const rates = objective && lookUp(RATES, objective.call);
      if (objective === undefined || rate === undefined || rates === undefined || !isAdam) return undefined;
      if (isFromScratch(checked, pipeline) || isVirtual(checked) || isHead(checked)) return undefined;
      const isSmall = hasSmallBase(checked, pipeline);
      const { tooHigh, usual } = scaled(rates[isAdapter(checked) ? 'adapter' : 'full'], isSmall ? SMALL : 1);
      if (rate < tooHigh) return undefined;
      return aboutValue(pipeline.place(checked, 'optimizer.rate'), {
        message: `the rate ${numberText(rate)} is too high for \`${objective.call}\`${isSmall ? ', even on a base of a few million parameters' : ''}`,
        label: `below ${numberText(tooHigh)} is usual`,
        help: `start with ${numberText(usual)}; watch the rewards of both answers, which fall together when the rate is too high`,
        write: numberText(usual),
      });
    }),
  },
  {
    id: 'beta-out-of-range',
    code: 'FTP1028',
    level: 'warning',
    doc: 'A `beta` outside 0.01 to 0.5 for `dpo` and `kto` (`ipo`: to 1), 0.05 to 1 for `orpo`, or 1 to 10 for `simpo`.',
    reason:
      'Under `dpo` and `kto`, `beta` holds the model to its reference: at 0.01 it may go far from it, at 0.5 it hardly moves. The authors of DPO use 0.1 to 0.5 (arXiv:2305.18290), and recipes go down to 0.01. SimPO has no reference and means of tokens, which are small numbers: its `beta` is 2 to 10 (arXiv:2405.14734), and one of DPO teaches it nothing. ORPO weighs its odds ratio by 0.1 to 1 (arXiv:2403.07691).',
    check: each('train', (checked, pipeline) => {
      const objective = objectiveOf(checked);
      const range = objective && betaOf(objective);
      const beta = numberAt(checked, 'objective.beta');
      if (objective === undefined || range === undefined || beta === undefined) return undefined;
      const { low, high, usual } = range;
      if (beta >= low && beta <= high) return undefined;
      return aboutValue(pipeline.place(checked, 'objective.beta'), {
        message: `a beta of ${numberText(beta)} is ${beta > high ? 'above' : 'below'} the range for \`${objective.call}\``,
        label: `${numberText(low)} to ${numberText(high)} is usual`,
        help: `start with ${numberText(usual)}`,
        write: numberText(usual),
      });
    }),
  },
  {
    id: 'preferences-more-than-once',
    code: 'FTP1029',
    level: 'info',
    doc: 'More than one epoch of preferences; `orpo`, which also learns to write, has those of other trainings.',
    reason:
      'After one pass over the pairs their order is known, and more passes make answers likelier or unlikelier that were told apart already: the accuracy on rows that are held out stays, and the answers get worse. Reward models overfit after one epoch (arXiv:2203.02155), and the scripts of TRL for `dpo` and `kto` train for one.',
    check: each('train', (checked, pipeline) => {
      const epochs = numberAt(checked, 'stop.epochs');
      if (epochs === undefined || epochs <= 1 || !learnsOnce(checked)) return undefined;
      if (isFromScratch(checked, pipeline)) return undefined;
      return aboutValue(pipeline.place(checked, 'stop.epochs'), {
        message: `${numberText(epochs)} epochs of preferences is more than one`,
        label: 'soon learned by heart',
        help: 'write `epochs: 1`; more pairs help more than more epochs',
        write: '1',
      });
    }),
  },
  {
    id: 'no-sft-before',
    code: 'FTP1030',
    level: 'warning',
    doc: 'Training by `dpo`, `kto` or `simpo` on a base that only continues texts.',
    reason:
      'These objectives make one of two answers likelier, and teach nobody to answer: the answers should be ones that the model might give. The authors of DPO and SimPO train on demonstrations first (arXiv:2305.18290, 2405.14734); `orpo` learns both at once. Whether a base was taught to answer, its name on the Hub says; other bases are not reported.',
    check: each('train', (checked, pipeline) => {
      const objective = objectiveOf(checked);
      if (objective === undefined || !NEEDS_SFT.has(objective.call)) return undefined;
      const name = plainBase(checked, pipeline.stages);
      if (name === undefined) return undefined;
      return {
        at: spanOf(checked, 'base'),
        message: `\`${checked.block.name.text}\` learns which answers are better, but \`${name}\` was not taught to answer`,
        label: 'continues texts',
        help: 'begin with its instruction-tuned variant, train on answers first and merge that, or use `objective = orpo()`',
      };
    }),
  },
];

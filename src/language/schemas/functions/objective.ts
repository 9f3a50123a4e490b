import { defaulted, type FunctionSchema, optional, t } from '../schema.js';

const beta = (value: number, doc: string) => defaulted(t.number({ above: 0 }), value, doc);
const HOLD = 'How strongly the model is held to the reference.';
const WEIGHT = t.number({ min: 0 });
const REFERENCE = optional(
  t.union(t.port('Adapter', 'Model'), t.call('model')),
  'Model that answers are compared with, which reads the same tokens; default: the base without the adapter, or what a full training starts with.',
);

/** What is learned from preferences. */
export const objectives = {
  dpo: {
    family: 'objective',
    doc: 'Direct preference optimisation: chosen answers become likelier than rejected ones, next to the reference (arXiv 2305.18290).',
    positional: [],
    args: {
      beta: beta(0.1, HOLD),
      loss: defaulted(
        t.enum('sigmoid', 'ipo', 'hinge'),
        'sigmoid',
        'Loss of a pair: that of DPO, of IPO by token (arXiv 2310.12036), or a hinge (arXiv 2305.10425).',
      ),
      label_smoothing: defaulted(
        t.quantity('ratio', { min: 0, max: 0.49 }),
        0,
        'Share of the pairs whose order is taken to be wrong: conservative DPO; with `loss: sigmoid` alone.',
      ),
      sft: defaulted(WEIGHT, 0, 'Weight of the cross entropy of the chosen answers, per token.'),
      reference: REFERENCE,
    },
  },
  orpo: {
    family: 'objective',
    doc: 'Odds-ratio preference optimisation: chosen texts are learned, and made likelier than rejected ones, without a reference (arXiv 2403.07691).',
    positional: [],
    args: { beta: beta(0.1, 'Weight of the odds ratio.') },
  },
  simpo: {
    family: 'objective',
    doc: 'Simple preference optimisation: by the mean log-probability of a token, without a reference (arXiv 2405.14734).',
    positional: [],
    args: {
      beta: beta(2, 'Factor of the difference between the answers.'),
      gamma: defaulted(WEIGHT, 0.5, 'Margin by which a chosen answer is to be better.'),
    },
  },
  kto: {
    family: 'objective',
    doc: 'Kahneman–Tversky optimisation: from answers that are good or bad, not from pairs (arXiv 2402.01306).',
    positional: [],
    args: {
      beta: beta(0.1, HOLD),
      desirable: defaulted(WEIGHT, 1, 'Weight of good answers.'),
      undesirable: defaulted(WEIGHT, 1, 'Weight of bad answers.'),
      reference: REFERENCE,
    },
  },
  reward: {
    family: 'objective',
    doc: 'A reward model: a head that gives a score to a text, higher for chosen answers than for rejected ones.',
    positional: [],
    args: {},
  },
} as const satisfies Record<string, FunctionSchema>;

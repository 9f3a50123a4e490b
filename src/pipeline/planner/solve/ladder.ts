/**
 * What may be changed when a train stage does not fit, step by step. Steps that cannot change the result are always
 * allowed; the others only where the file lists them, or leaves the method open.
 */
import type { Call } from '../../../language/ir/types.js';
import { hasFactors, type TrainPlan } from '../../../language/schemas/types.js';

export type StepName =
  | 'decode_each_pass'
  | 'smaller_logits_chunk'
  | 'offload_state'
  | 'smaller_micro_batch'
  | 'checkpointing'
  | 'vocabulary_shards'
  | 'qlora'
  | 'paged_weights'
  | 'shorten'
  | 'lower_rank';

/** One freedom: the states it offers, from the least change to the greatest; the state it starts from is not among them. */
export interface Step {
  readonly name: StepName;
  states(from: TrainPlan): readonly TrainPlan[];
}

export interface LadderOptions {
  /** `undefined`: the planner chooses between lora and qlora. */
  readonly preset: string | undefined;
  readonly fallback: readonly Call[];
  readonly global: number;
  /** Set by the author. */
  readonly micro: number | undefined;
  readonly layers: number;
  /** The rank is that of an adapter to continue from. */
  readonly fixedRank: boolean;
  /** Entries of a piece of the vocabulary, where the head can be computed in pieces. */
  readonly vocabularyShard?: number;
  /** The optimiser's state may be in a file. */
  readonly paged: boolean;
}

/** Lengths are tried in steps of what batches are padded to. */
const LENGTH_STEP = 32;

/** Shares of a paged optimiser's state that are in a file. */
const SHARES_IN_FILE = [0.25, 0.5, 0.75, 1];

type MakeStep = (args: Call['args'], options: LadderOptions) => Step;

/** Tokens of the smallest chunk of the head. */
export const SMALLEST_HEAD = 64;

const STEPS: Readonly<Record<StepName, MakeStep>> = {
  decode_each_pass: () => ({
    name: 'decode_each_pass',
    states: ({ materialised, ...from }) => (materialised ? [from] : []),
  }),
  smaller_logits_chunk: () => ({
    name: 'smaller_logits_chunk',
    states(from) {
      const states: TrainPlan[] = [];
      for (let chunk = from.logitsChunk / 2; chunk >= SMALLEST_HEAD; chunk /= 2)
        states.push({ ...from, logitsChunk: chunk });
      return states;
    },
  }),
  offload_state: () => ({
    name: 'offload_state',
    states: (from) =>
      SHARES_IN_FILE.filter((share) => share > (from.offloadedState ?? 0)).map((offloadedState) => ({
        ...from,
        offloadedState,
      })),
  }),
  smaller_micro_batch: (_, { global }) => ({
    name: 'smaller_micro_batch',
    states: (from) =>
      divisors(global)
        .filter((rows) => rows < from.microBatch)
        .map((rows) => withMicro(from, rows, global)),
  }),
  checkpointing: (_, { layers }) => ({
    name: 'checkpointing',
    states(from) {
      const counts = Array.from({ length: layers }, (_, index) => index + 1);
      const { checkpointedBlocks: blocks, recomputedMlps: mlps = 0, recomputedAttention: shares = 0 } = from;
      const all = { ...from, recomputedAttention: layers };
      // the attention weights give back most for what they cost to recompute; in long rows an MLP more than its
      // attention, in short ones as much
      return [
        ...counts
          .filter((count) => count > Math.max(shares, mlps, blocks))
          .map((recomputedAttention) => ({ ...from, recomputedAttention })),
        ...counts
          .filter((count) => count > Math.max(mlps, blocks))
          .map((recomputedMlps) => ({ ...all, recomputedMlps })),
        ...counts
          .filter((count) => count > blocks)
          .map((checkpointedBlocks) => ({ ...all, checkpointedBlocks, recomputedMlps: layers })),
      ];
    },
  }),
  vocabulary_shards: (_, { vocabularyShard }) => ({
    name: 'vocabulary_shards',
    states: (from) =>
      vocabularyShard !== undefined && hasFactors(from.method) && from.vocabularyShard === undefined
        ? [{ ...from, vocabularyShard }]
        : [],
  }),
  qlora: () => ({
    name: 'qlora',
    states: (from) => (from.method === 'lora' && !from.pagedWeights ? [{ ...from, method: 'qlora' }] : []),
  }),
  // trained weights have to be in memory, and quantising needs a whole weight at once
  paged_weights: () => ({
    name: 'paged_weights',
    states: ({ materialised: _, ...from }) =>
      (from.method === 'lora' || from.method === 'head') && !from.pagedWeights
        ? [{ ...from, pagedWeights: true }]
        : [],
  }),
  shorten: (args) => ({
    name: 'shorten',
    states: (from) => {
      const least = Number(args['min']);
      const lengths: number[] = [];
      for (let length = below(from.maxLength); length > least; length = below(length)) lengths.push(length);
      if (least < from.maxLength) lengths.push(least);
      return lengths.map((maxLength) => ({ ...from, maxLength }));
    },
  }),
  lower_rank: (args) => ({
    name: 'lower_rank',
    states: (from) => {
      const least = Number(args['min']);
      const states: TrainPlan[] = [];
      if (!hasFactors(from.method)) return states;
      for (let rank = from.rank / 2; rank >= least && Number.isInteger(rank); rank /= 2)
        states.push({ ...from, rank, alpha: (from.alpha * rank) / from.rank });
      return states;
    },
  }),
};

/** Steps under which the same model is trained on the same rows, from a base in memory. */
const EXACT: ReadonlySet<StepName> = new Set([
  'decode_each_pass',
  'smaller_logits_chunk',
  'offload_state',
  'smaller_micro_batch',
  'checkpointing',
]);

/** Steps in the order in which they are taken. */
export function ladder(options: LadderOptions): readonly Step[] {
  const listed = options.fallback.map(({ call, args }) => ({ name: call as StepName, args }));
  const missing = (name: StepName): boolean => !listed.some((step) => step.name === name);
  const harmless: StepName[] = ['decode_each_pass', 'smaller_logits_chunk'];
  if (options.paged) harmless.push('offload_state');
  // a micro batch that the author set is kept unless the file says that it may shrink
  if (missing('smaller_micro_batch') && options.micro === undefined) harmless.push('smaller_micro_batch');
  // nothing goes back through the blocks of a frozen base
  if (missing('checkpointing') && options.preset !== 'head') harmless.push('checkpointing');
  const steps: { name: StepName; args: Call['args'] }[] = [
    ...harmless.map((name) => ({ name, args: {} })),
    ...listed,
  ];
  // takes every logit twice, which is more than a block that is recomputed, but rounds nothing
  const inexact = steps.findIndex(({ name }) => !EXACT.has(name));
  steps.splice(inexact < 0 ? steps.length : inexact, 0, { name: 'vocabulary_shards', args: {} });
  // 4 bits are much faster than reading the base over and over, which cannot change the result
  const last: StepName[] = [];
  if (options.preset === undefined && missing('qlora')) last.push('qlora');
  if (missing('paged_weights')) last.push('paged_weights');
  const first = steps.findIndex(({ name }) => name === 'shorten' || name === 'lower_rank');
  steps.splice(first < 0 ? steps.length : first, 0, ...last.map((name) => ({ name, args: {} })));
  const applies = (name: StepName): boolean =>
    (hasFactors(options.preset) || (name !== 'qlora' && name !== 'lower_rank')) &&
    (!options.fixedRank || name !== 'lower_rank');
  return steps.filter(({ name }) => applies(name)).map(({ name, args }) => STEPS[name](args, options));
}

const below = (length: number): number => (Math.ceil(length / LENGTH_STEP) - 1) * LENGTH_STEP;

export function withMicro(chosen: TrainPlan, microBatch: number, global: number): TrainPlan {
  return { ...chosen, microBatch, accumulation: Math.ceil(global / microBatch) };
}

/** Divisors of a number, the largest first. */
export function divisors(number: number): readonly number[] {
  const found: number[] = [];
  for (let small = 1; small * small <= number; small++) {
    if (number % small !== 0) continue;
    found.push(small);
    if (small * small !== number) found.push(number / small);
  }
  return found.sort((a, b) => b - a);
}

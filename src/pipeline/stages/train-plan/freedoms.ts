/**
 * Every freedom of the planner, by the field of a plan. Relaxations of one cost are taken in the order of this table.
 * What executes a freedom is in `../train/run.ts`, and what it takes in memory in the planner.
 */

import { SHARDINGS, type Sharding } from '../../../language/ir/engines.js';
import { hasFactors, METHODS } from '../../../language/schemas/methods.js';
import { t } from '../../../language/schemas/schema.js';
import type { Freedoms } from './freedom.js';
import {
  divisors,
  recomputedCell,
  recomputedText,
  recomputesSomething,
  type TrainPlan,
  withMicro,
} from './plan.js';

/** A method with factors has none if its adapter has another form. */
const hasRank = ({ rank }: TrainPlan): boolean => rank > 0;

/** Lengths are tried in steps of what batches are padded to. */
const LENGTH_STEP = 32;
const below = (length: number): number => (Math.ceil(length / LENGTH_STEP) - 1) * LENGTH_STEP;

/** Tokens of the smallest chunk of logits: fewer save nothing worth having. */
export const SMALLEST_LOGITS_CHUNK = 64;

/** Fractions of a paged optimiser's state that are in a file. */
const OFFLOADED = [0.25, 0.5, 0.75, 1];

/** 1 … last, without those up to `first`. */
const above = (first: number, last: number): readonly number[] =>
  Array.from({ length: last }, (_, index) => index + 1).filter((count) => count > first);

/** A half of a number, a half of that, and so on, as long as they are whole and not below the least. */
function halves(number: number, least: number): readonly number[] {
  const half = number / 2;
  return half >= least && Number.isInteger(half) ? [half, ...halves(half, least)] : [];
}

/** Blocks that recompute at least their MLP; those that recompute all are among them. */
const mlpsOf = ({ recomputedMlps = 0, checkpointedBlocks }: TrainPlan): number =>
  Math.max(recomputedMlps, checkpointedBlocks);
const attentionOf = (plan: TrainPlan): number => Math.max(plan.recomputedAttention ?? 0, mlpsOf(plan));

const SHARING: Readonly<Record<Sharding, string>> = {
  ddp: 'a replica on each device',
  fsdp: 'sharded over the devices',
};

export const FREEDOMS: Freedoms = {
  method: {
    type: t.enum(...METHODS).type,
    doc: 'How the base is trained: an adapter (`lora`), an adapter on a 4-bit base (`qlora`), every weight (`full`), or only a classification head (`head`).',
    setting: 'using',
    key: 'method',
    start: ({ method }) => method,
    cell: ['method', ({ method }) => method],
    relaxation: {
      name: 'qlora',
      cost: 'base',
      isExact: false,
      isOpen: ({ preset }) => preset === undefined,
      applies: ({ preset }) => hasFactors(preset),
      states: (from) => (from.method === 'lora' && !from.pagedWeights ? [{ ...from, method: 'qlora' }] : []),
      text: () => 'with the base in 4 bits',
      help: { args: {}, text: 'qlora' },
    },
  },
  maxLength: {
    type: t.quantity('tokens', { min: 1 }).type,
    doc: 'Longest row that is trained on; longer ones are dropped and counted.',
    setting: 'max_length',
    key: 'maxLength',
    start: ({ maxLength }) => maxLength,
    cell: ['tokens', ({ maxLength }) => String(maxLength)],
    relaxation: {
      name: 'shorten',
      cost: 'training',
      isExact: false,
      isOpen: () => false,
      states(from, _, args) {
        const least = Number(args['min']);
        const lengths: number[] = [];
        for (let length = below(from.maxLength); length > least; length = below(length)) lengths.push(length);
        if (least < from.maxLength) lengths.push(least);
        return lengths.map((maxLength) => ({ ...from, maxLength }));
      },
      text: ({ maxLength }) => `with rows of at most ${maxLength} tokens`,
      help: { args: { min: 64 }, text: 'shorten(min: 64tok)' },
    },
  },
  rank: {
    type: t.integer({ min: 0 }).type,
    doc: 'Rank of the adapter; 0 with `full`.',
    setting: 'lora.rank',
    key: 'rank',
    applies: hasFactors,
    isListed: hasRank,
    start: ({ rank }) => rank,
    cell: ['rank', (plan) => (hasRank(plan) ? String(plan.rank) : '–')],
    relaxation: {
      name: 'lower_rank',
      cost: 'training',
      isExact: false,
      isOpen: () => false,
      applies: ({ preset, fixedRank }) => hasFactors(preset) && !fixedRank,
      states(from, _, { min }) {
        if (!hasFactors(from.method)) return [];
        const ranks = halves(from.rank, Number(min));
        return ranks.map((rank) => ({ ...from, rank, alpha: (from.alpha * rank) / from.rank }));
      },
      text: ({ rank }) => `with rank ${rank}`,
      help: { args: { min: 4 }, text: 'lower_rank(min: 4)' },
    },
  },
  alpha: {
    type: t.number({ min: 0 }).type,
    doc: 'Numerator of the scale of the adapter; 0 with `full`.',
    setting: 'lora.alpha',
    key: 'alpha',
    applies: hasFactors,
    isListed: hasRank,
    start: ({ alpha }) => alpha,
  },
  materialised: {
    type: t.boolean.type,
    absent: false,
    doc: 'The base is materialised as float32, not decoded in every pass, as long as there is memory for it.',
    setting: 'materialised',
    formerly: 'decodedOnce',
    isResidency: true,
    cell: ['method', ({ materialised }) => (materialised ? 'materialised' : undefined)],
    relaxation: {
      name: 'decode_each_pass',
      cost: 'time',
      isExact: true,
      isOpen: () => true,
      states: ({ materialised, ...from }) => (materialised ? [from] : []),
      text: () => 'with the base decoded in every pass',
    },
  },
  pagedWeights: {
    type: t.boolean.type,
    absent: false,
    doc: 'The base stays in its files and is read one block at a time, to save memory.',
    setting: 'paged_weights',
    formerly: 'paged',
    isResidency: true,
    cell: ['method', ({ pagedWeights }) => (pagedWeights ? 'paged weights' : undefined)],
    text: ({ pagedWeights }) => (pagedWeights ? 'the base read one block at a time' : undefined),
    // trained weights have to be in memory, and quantising needs a whole weight at once
    relaxation: {
      name: 'paged_weights',
      cost: 'base',
      isExact: true,
      isOpen: () => true,
      applies: ({ ranks }) => ranks === undefined,
      states: ({ materialised: _, ...from }) =>
        (from.method === 'lora' || from.method === 'head') && !from.pagedWeights
          ? [{ ...from, pagedWeights: true }]
          : [],
      text: () => 'with the base read one block at a time',
    },
  },
  logitsChunk: {
    type: t.integer({ min: 1 }).type,
    doc: 'Tokens whose logits exist at the same time.',
    setting: 'logits_chunk',
    formerly: 'headChunk',
    key: 'headChunk',
    isMinor: true,
    start: ({ logitsChunk }) => logitsChunk,
    relaxation: {
      name: 'smaller_logits_chunk',
      cost: 'time',
      isExact: true,
      isOpen: () => true,
      states: (from) =>
        halves(from.logitsChunk, SMALLEST_LOGITS_CHUNK).map((logitsChunk) => ({ ...from, logitsChunk })),
      text: ({ logitsChunk }) => `with the logits of ${logitsChunk} tokens at a time`,
    },
  },
  vocabularyShard: {
    type: t.integer({ min: 1 }).type,
    absent: null,
    doc: 'Tokens of the vocabulary whose logits exist at the same time, to save memory; if omitted, all.',
    setting: 'vocabulary_shard',
    formerly: 'headEntries',
    key: 'headEntries',
    // a head that is trained is computed as a whole
    applies: hasFactors,
    cell: [
      'method',
      ({ vocabularyShard }) => (vocabularyShard === undefined ? undefined : 'vocabulary shards'),
    ],
    text: ({ vocabularyShard }) =>
      vocabularyShard === undefined ? undefined : 'the logits of one vocabulary shard at a time',
    relaxation: {
      name: 'vocabulary_shards',
      cost: 'logits',
      isExact: true,
      isOpen: () => true,
      states: (from, { vocabularyShard }) =>
        vocabularyShard !== undefined && hasFactors(from.method) && from.vocabularyShard === undefined
          ? [{ ...from, vocabularyShard }]
          : [],
      text: ({ vocabularyShard }) =>
        `with the logits of ${vocabularyShard} tokens of the vocabulary at a time`,
    },
  },
  offloadedState: {
    type: t.number({ above: 0, max: 1 }).type,
    absent: 0,
    doc: "Fraction of a paged optimiser's state that is offloaded to a file, to save memory.",
    setting: 'offloaded_state',
    formerly: 'stateInFile',
    text: ({ offloadedState }) =>
      offloadedState === undefined
        ? undefined
        : `${100 * offloadedState} % of the optimiser's state in a file`,
    relaxation: {
      name: 'offload_state',
      cost: 'time',
      isExact: true,
      isOpen: ({ offloads }) => offloads,
      states: (from) =>
        OFFLOADED.filter((fraction) => fraction > (from.offloadedState ?? 0)).map((offloadedState) => ({
          ...from,
          offloadedState,
        })),
      text: () => 'with the optimiser state in a file',
    },
  },
  microBatch: {
    type: t.integer({ min: 1 }).type,
    doc: 'Rows per micro batch.',
    setting: 'batch.micro',
    key: 'microBatch',
    start: ({ microBatch }) => microBatch,
    cell: ['rows × times', ({ microBatch, accumulation }) => `${microBatch} × ${accumulation}`],
    relaxation: {
      name: 'smaller_micro_batch',
      cost: 'time',
      isExact: true,
      // a micro batch that the author set is kept unless the file says that it may shrink
      isOpen: ({ micro }) => micro === undefined,
      states: (from, { global }) =>
        divisors(global)
          .filter((rows) => rows < from.microBatch)
          .map((rows) => withMicro(from, rows, global)),
      text: ({ microBatch }) => `down to ${microBatch} ${microBatch === 1 ? 'row' : 'rows'} at a time`,
      help: { args: {}, text: 'smaller_micro_batch' },
    },
  },
  accumulation: {
    type: t.integer({ min: 1 }).type,
    doc: 'Micro batches per optimiser step: `batch.global` ÷ `batch.micro`.',
    setting: 'batch.accumulation',
    start: ({ global, microBatch }) => Math.ceil(global / microBatch),
  },
  sharding: {
    type: t.enum(...SHARDINGS).type,
    absent: null,
    doc: 'How the ranks of the accelerate engine share the model: a replica on each (`ddp`), or shards by FSDP2 (`fsdp`); if omitted, there is one rank.',
    setting: 'sharding',
    start: ({ sharding }) => sharding,
    cell: ['method', ({ sharding }) => sharding],
    text: ({ sharding }) => sharding && SHARING[sharding],
    relaxation: {
      name: 'fsdp',
      cost: 'time',
      isExact: true,
      isOpen: ({ ranks }) => ranks?.sharding === 'auto',
      states: (from) => (from.sharding === 'ddp' ? [{ ...from, sharding: 'fsdp' }] : []),
      text: () => 'with the model sharded over the devices',
    },
  },
  cpuOffload: {
    type: t.boolean.type,
    absent: false,
    doc: 'Shards of the model are in the memory of the machine while they are not needed on their device.',
    setting: 'cpu_offload',
    cell: ['method', ({ cpuOffload }) => (cpuOffload ? 'offloaded' : undefined)],
    text: ({ cpuOffload }) => (cpuOffload ? 'shards in the memory of the machine' : undefined),
    relaxation: {
      name: 'cpu_offload',
      cost: 'base',
      isExact: true,
      isOpen: () => false,
      // the memory of a rank without a GPU is that of the machine
      applies: ({ ranks }) => ranks?.device === 'cuda',
      states: ({ sharding, ...from }) =>
        from.cpuOffload ? [] : [{ ...from, sharding: 'fsdp', cpuOffload: true }],
      text: () => 'with shards in the memory of the machine',
      help: { args: {}, text: 'cpu_offload' },
    },
  },
  recomputedAttention: {
    type: t.integer({ min: 0 }).type,
    absent: 0,
    doc: 'Blocks that recompute at least their attention probabilities in the backward pass, to save memory; if omitted, those that recompute their MLP.',
    setting: 'recomputed_attention',
    formerly: 'recomputedShares',
    start: ({ recomputedAttention }) => (recomputedAttention > 0 ? recomputedAttention : undefined),
    implied: attentionOf,
  },
  recomputedMlps: {
    type: t.integer({ min: 0 }).type,
    absent: 0,
    doc: 'Blocks that recompute at least their MLP in the backward pass, to save memory; if omitted, those that recompute everything.',
    setting: 'recomputed_mlps',
    implied: mlpsOf,
  },
  checkpointedBlocks: {
    type: t.integer({ min: 0 }).type,
    doc: 'Blocks whose activations are recomputed in the backward pass, to save memory.',
    setting: 'checkpointed_blocks',
    key: 'checkpointedBlocks',
    start: () => 0,
    cell: ['recomputed', recomputedCell],
    text: (plan) => (recomputesSomething(plan) ? `${recomputedText(plan)} recomputed` : undefined),
    relaxation: {
      name: 'checkpointing',
      cost: 'time',
      isExact: true,
      isOpen: () => true,
      // nothing goes back through the blocks of a frozen base
      applies: ({ preset }) => preset !== 'head',
      // attention probabilities give back most for what they cost to recompute; in long rows an MLP more than its
      // attention, in short ones as much
      states(from, { layers, ranks }) {
        const blocks = above(from.checkpointedBlocks, layers);
        if (ranks !== undefined) return blocks.map((checkpointedBlocks) => ({ ...from, checkpointedBlocks }));
        const all = { ...from, recomputedAttention: layers };
        return [
          ...above(attentionOf(from), layers).map((recomputedAttention) => ({
            ...from,
            recomputedAttention,
          })),
          ...above(mlpsOf(from), layers).map((recomputedMlps) => ({ ...all, recomputedMlps })),
          ...blocks.map((checkpointedBlocks) => ({
            ...{ ...all, checkpointedBlocks, recomputedMlps: layers },
          })),
        ];
      },
      text: ({ checkpointedBlocks }) => `with all ${checkpointedBlocks} blocks recomputed`,
    },
  },
};

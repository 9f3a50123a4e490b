/** What the planner sets of a train stage and no block can say, by path. */
import { type Setting, type Typed, t } from '../../language/schemas/schema.js';
import { METHODS } from '../../language/schemas/types.js';

const planned = <T>({ type }: Typed<T>, doc: string): Setting => ({ type, doc, required: false });

export const PLANNED_SETTINGS: Readonly<Record<string, Setting>> = {
  using: planned(
    t.enum(...METHODS),
    'How the base is trained: an adapter (`lora`), an adapter on a 4-bit base (`qlora`), every weight (`full`), or only a classification head (`head`).',
  ),
  'batch.accumulation': planned(
    t.integer({ min: 1 }),
    'Micro batches of one optimiser step: `batch.global` ÷ `batch.micro`.',
  ),
  max_length: planned(
    t.quantity('tokens', { min: 1 }),
    'Longest row that is trained on; longer ones are dropped and counted.',
  ),
  checkpointed_blocks: planned(
    t.integer({ min: 0 }),
    'Blocks whose activations are recomputed in the backward pass, to save memory.',
  ),
  recomputed_attention: planned(
    t.integer({ min: 0 }),
    'Blocks that recompute at least their attention probabilities in the backward pass, to save memory.',
  ),
  recomputed_mlps: planned(
    t.integer({ min: 0 }),
    'Blocks that recompute at least their MLP in the backward pass, to save memory.',
  ),
  materialised: planned(
    t.boolean,
    'The base is materialised as float32, not decoded in every pass, as long as there is memory for it.',
  ),
  paged_weights: planned(
    t.boolean,
    'The base stays in its files and is read one block at a time, to save memory.',
  ),
  offloaded_state: planned(
    t.number({ above: 0, max: 1 }),
    "Fraction of a paged optimiser's state that is offloaded to a file, to save memory.",
  ),
  logits_chunk: planned(t.integer({ min: 1 }), 'Tokens whose logits exist at the same time.'),
  vocabulary_shard: planned(
    t.integer({ min: 1 }),
    'Tokens of the vocabulary whose logits exist at the same time, to save memory.',
  ),
};

/**
 * What is said between this program and the Python driver (`python/ftpc_driver`): the specification of a training, which
 * is written to `SPEC.json`, and the events that the ranks print, one JSON object per line. Version 1 of both.
 */
import * as v from 'valibot';
import { count, figure, type Json, type JsonOf, positive, record } from '../../language/host/json.js';
import { SHARDINGS as SHARED } from '../../language/ir/engines.js';
import type { DpoObjective, OptimizerOptions, PreferenceObjective } from '../training/index.js';
import { type AnswersMeasured, STEP_RECORD, VALIDATION } from '../training/state.js';

/** How ranks share a model. `none`: one rank; `ddp`: a replica each; `fsdp`: a shard of every block each. */
const SHARDINGS = ['none', ...SHARED] as const;
export type Sharding = (typeof SHARDINGS)[number];

const DEVICES = ['cpu', 'cuda'] as const;
export type RankDevice = (typeof DEVICES)[number];

const ATTENTIONS = ['eager', 'sdpa', 'flash_attention_2'] as const;
export type Attention = (typeof ATTENTIONS)[number];

/** Versions of Python packages, by their names; `null`: any. Looked at before a package is imported. */
export type PackageVersions = Readonly<Record<string, string | null>>;

/** A model as the driver loads it. */
export interface ModelSpec {
  /** Absolute. */
  readonly folder: string;
  /** Left out of a folder in Hugging Face layout. */
  readonly gguf: GgufSpec | null;
  readonly task: 'causal' | 'classifier';
  /** Of a classifier, in the order of its classes. */
  readonly labels: readonly string[] | null;
  /** Of frozen weights; trained ones are float32. */
  readonly dtype: 'float32' | 'bfloat16';
  readonly quantisation: { readonly type: 'nf4'; readonly double: boolean } | null;
  readonly attention: Attention;
}

/** A GGUF file, as this program reads it. */
export interface GgufSpec {
  /** In the folder. */
  readonly file: string;
  /** What its `config.json` would say. */
  readonly config: Json;
  readonly tensors: readonly GgufTensorSpec[];
}

/** A tensor of the model, by its name in files of Hugging Face. */
export interface GgufTensorSpec {
  readonly name: string;
  /** Its name in the file. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** Which it is of a stack of tensors. */
  readonly member?: number;
  /** It is stored `[inputs, outputs]`. */
  readonly transposed?: true;
  /** One was added. */
  readonly one_more?: true;
  /** In blocks of these rows, the first two axes are stored the other way round. */
  readonly axes?: readonly number[];
}

/** Micro batches of sequences of rows: a sequence has one row unless rows are packed. */
type MicroBatches = readonly (readonly (readonly number[])[])[];

/** A row that is asked, and the row whose answer follows; the same one for a text of its own. */
export type PairSpec = readonly [asked: number, answered: number];
export type PairBatches = readonly (readonly PairSpec[])[];

/** Line s of `steps` is what step s (from 1) is made of. */
export interface StepSpec {
  readonly rate: number;
  /** Passes over the rows after this step. */
  readonly epoch: number;
  readonly micro: MicroBatches;
  /** Where the objective reads them: prompts with the answers of others. */
  readonly others?: PairBatches;
}

/**
 * A safetensors file of rows one after another: `ids` int32 [tokens], `labels` int32 [tokens] (-100: not supervised; the
 * label at t is predicted from the tokens before t, of a classifier from those up to t) and `offsets` int64 [rows + 1];
 * where tokens do not count alike, `weights` float32 [tokens].
 */
interface RowsSpec {
  readonly file: string;
}

/** Rows of the validation that are answered. */
export interface AnswersSpec {
  /** Numbers of the rows in the file of the validation. */
  readonly rows: readonly number[];
  /** Tokens of each that come before its answer, and tokens of its answer at most. */
  readonly prompts: readonly number[];
  readonly limits: readonly number[];
  /** Places in `rows` that are answered together. */
  readonly batches: readonly (readonly number[])[];
  readonly stop_ids: readonly number[];
  /** What the ranks are told of the answers. */
  readonly metrics: readonly string[];
  readonly watches_repetition: boolean;
}

/** As {@link PreferenceObjective}, in the driver's names. */
export type ObjectiveSpec =
  | Exclude<PreferenceObjective, DpoObjective>
  | (Omit<DpoObjective, 'labelSmoothing'> & { readonly label_smoothing: number });

/** What a model that does not learn is asked before training. */
export interface ReferenceSpec {
  /** A file of JSON lines: a {@link PairBatches} for each piece of what is asked. */
  readonly file: string;
  /** Pairs of all pieces. */
  readonly pairs: number;
  /** Where the driver keeps the answers. */
  readonly folder: string;
}

/** A reference model that is not the base: asked before training, then released. */
export interface OtherModelSpec {
  readonly model: ModelSpec;
  /** A folder of PEFT over it. */
  readonly adapter: { readonly folder: string } | null;
  /** Tokens that it reads at most. */
  readonly positions: number;
}

/**
 * What is learned of answers. Each row of the files is then a text that ends in one, with `answers` int32 [rows], the tokens of
 * the answer; of pairs, each chosen text is followed by the rejected one; where answers are judged alone, `good` int32 [rows] says
 * which are good. A micro batch has its chosen texts first, then the rejected ones in the same order.
 */
export interface PreferencesSpec {
  readonly objective: ObjectiveSpec;
  /** Tokens of a prompt with the answer of another, at most. */
  readonly limit: number;
  /** What is asked; `null`: the base. */
  readonly other: OtherModelSpec | null;
  readonly reference: ReferenceSpec | null;
  readonly validation_reference: ReferenceSpec | null;
}

/** What a rank is told on its standard input, besides the line that asks it to stop. */
export interface RankMessage {
  readonly measured: AnswersMeasured;
}

export interface OptimizerSpec extends Omit<OptimizerOptions, 'loraplusRatio'> {
  readonly name: 'adamw' | 'adamw8bit' | 'adafactor' | 'lion' | 'sgd';
  /** Rate of LoRA's B and of vectors over that of the rest. */
  readonly lora_plus: number;
  /** The state may be moved to the host's memory where that of the device is short (bitsandbytes). */
  readonly paged: boolean;
}

export interface TrainSpec {
  readonly version: 1;
  /** Absolute; what the driver writes is below it: `checkpoints/` and `result/`. */
  readonly folder: string;
  readonly versions: PackageVersions;
  /** Of everything that decides the result: a checkpoint with another is not used. */
  readonly digest: string;
  /** Ranks, over all nodes. */
  readonly world: number;
  readonly device: RankDevice;
  readonly sharding: { readonly kind: Sharding; readonly offload: boolean };
  readonly model: ModelSpec;
  /** `bf16`: products by autocast. */
  readonly precision: 'f32' | 'bf16';
  readonly trained: 'adapter' | 'full';
  /** A folder of PEFT with the adapter that training begins with; `null` where every weight is trained. */
  readonly adapter: { readonly folder: string } | null;
  /** What a head over labels begins with where every weight is trained (in the names of the model's own tensors). */
  readonly head: { readonly file: string } | null;
  /** The product of the initial factors is taken off the base's weights. */
  readonly pissa: boolean;
  readonly rows: RowsSpec;
  /** Batches of rows, the longest first. */
  readonly validation:
    | (RowsSpec & { readonly batches: readonly (readonly number[])[]; readonly others: PairBatches | null })
    | null;
  readonly pad_id: number;
  /** Sequences are padded to multiples of `bucket`, but not beyond `limit`. */
  readonly padding: { readonly bucket: number; readonly limit: number };
  /** A file of JSON lines: a {@link StepSpec} per step. */
  readonly steps: string;
  readonly total_steps: number;
  /** Steps between two checkpoints, and between two validations. */
  readonly every: number;
  readonly validate_every: number;
  /** What the best validation is best by, instead of the loss. */
  readonly best: { readonly metric: string; readonly higher_is_better: boolean } | null;
  /** Training ends when answers repeat themselves. */
  readonly ends_repeating: boolean;
  readonly answers: AnswersSpec | null;
  readonly preferences: PreferencesSpec | null;
  /** Newest checkpoints that are kept, in addition to the best one. */
  readonly keep: number;
  readonly patience: number | null;
  /** The rates of `steps` are what they would be without plateaus; `low`: fraction of them that is left at least. */
  readonly plateau: {
    readonly factor: number;
    readonly patience: number;
    readonly threshold: number;
    readonly low: number;
  } | null;
  /** Seconds at most, over all runs of this training. */
  readonly wall: number | null;
  readonly optimizer: OptimizerSpec;
  /** Largest global norm of the gradient. */
  readonly clip: number | null;
  readonly neftune: number | null;
  /** Share of the loss that is the mean over all tokens of the vocabulary, or over all labels. */
  readonly label_smoothing: number;
  readonly seed: number;
  /** Blocks, from the first, whose activations are recomputed. */
  readonly checkpointed_blocks: number;
  /** Tokens whose logits exist at a time; `null`: all. */
  readonly logits_chunk: number | null;
  /** Block, and number in it, of each linear layer whose input may be dropped, by its path: what masks follow from. */
  readonly dropout: Readonly<Record<string, readonly [layer: number, module: number]>> | null;
}

const MEMORY = v.object({
  /** Bytes of a device that tensors take, and that its allocator holds. */
  allocated: count,
  reserved: count,
});
export type DeviceMemory = JsonOf<typeof MEMORY>;

const ENDING = v.picklist(['steps', 'patience', 'wall', 'repetition']);

/** Why a rank cannot go on. `import`: a package does not load; `bug`: anything else, with its trace. */
export const FAULT_KINDS = [
  'versions',
  'out_of_memory',
  'not_finite',
  'package',
  'import',
  'disk_full',
  'model',
  'distributed',
  'bug',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * What ranks say. Those without `rank` come from rank 0, but for `note`, which any may say, and the end, which the
 * first rank of each machine says.
 */
export const RANK_EVENT = v.variant('event', [
  v.object({
    event: v.literal('start'),
    pid: positive,
    rank: count,
    world: positive,
    device: v.string(),
    sharding: v.picklist(SHARDINGS),
    versions: record(v.string()),
    /** The step of the checkpoint that training goes on from. */
    resumed: v.nullable(count),
    /** Trained numbers. */
    trained: count,
  }),
  v.object({
    event: v.literal('step'),
    ...STEP_RECORD.entries,
    memory: v.optional(v.nullable(MEMORY)),
    /** Bytes. */
    rss: v.optional(v.nullable(count)),
  }),
  v.object({ event: v.literal('validation'), ...VALIDATION.entries, best: v.boolean() }),
  /** Those of a validation follow in several events where they are long; rank 0 then waits for a {@link RankMessage}. */
  v.object({
    event: v.literal('answers'),
    step: count,
    loss: figure,
    answers: v.array(v.array(count)),
    last: v.boolean(),
  }),
  /** Texts that the reference was asked, before `start`, and all that it is to be. */
  v.object({ event: v.literal('reference'), done: count, total: count }),
  v.object({ event: v.literal('checkpoint'), step: count, path: v.string() }),
  v.object({ event: v.literal('note'), text: v.string() }),
  v.object({
    event: v.literal('done'),
    ending: ENDING,
    step: count,
    /** Largest resident memory, and memory of the device, per rank. */
    peak: v.object({ rss: v.array(count), cuda: v.array(count) }),
  }),
  v.object({ event: v.literal('interrupted'), step: count, saved: v.boolean() }),
  v.object({
    event: v.literal('error'),
    rank: count,
    kind: v.picklist(FAULT_KINDS),
    message: v.string(),
    step: v.optional(v.nullable(count)),
    /** Of `not_finite`: what was not, as JSON cannot say it, and the rate of that step. */
    what: v.optional(v.picklist(['loss', 'gradient norm', 'validation loss'])),
    value: v.optional(v.picklist(['nan', 'inf', '-inf'])),
    rate: v.optional(figure),
    trace: v.optional(v.nullable(v.string())),
  }),
  v.object({
    event: v.literal('alive'),
    rank: count,
    rss: v.optional(v.nullable(count)),
    memory: v.optional(v.nullable(MEMORY)),
  }),
]);
export type RankEvent = JsonOf<typeof RANK_EVENT>;
export type RankEventOf<K extends RankEvent['event']> = Extract<RankEvent, { readonly event: K }>;

/** The driver's own names, below the folder of a specification. */
export const RESULT = {
  best: 'result/best.safetensors',
  last: 'result/last.safetensors',
  /** Folders with `model*.safetensors`, where every weight was trained. */
  bestModel: 'result/best',
  lastModel: 'result/last',
  state: 'result/state.json',
} as const;

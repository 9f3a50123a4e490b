/** What a file asks for, in the terms of all these tools: the tables fill it in, and `write.ts` makes a pipeline of it. */
import type { Sharding } from '../../language/ir/engines.js';
import type { Span } from '../../language/source/span.js';

export type TemplateName = 'chat' | 'sharegpt' | 'alpaca' | 'completion' | 'preference';

export type ObjectiveName = 'dpo' | 'orpo' | 'simpo' | 'kto' | 'reward';

/** Columns that templates read. */
type ColumnName =
  | 'instruction'
  | 'input'
  | 'output'
  | 'text'
  | 'messages'
  | 'conversations'
  | 'tools'
  | 'prompt'
  | 'question'
  | 'chosen'
  | 'rejected'
  | 'completion'
  | 'label';

/** Rows that are read from one place. */
export interface Dataset {
  readonly at: Span;
  /** A folder or file, relative to where the tool is called, or the name of a data set on the Hub. */
  path?: string;
  /** `train`, `train[:10%]`. */
  split?: string;
  /** Where its split is written. */
  splitAt?: Span;
  /** Names or patterns of files in `path`. */
  files?: readonly string[];
  revision?: string;
  /** `json`, `csv`, `parquet`, `text`. */
  fileType?: string;
  template?: TemplateName;
  /** Whether `alpaca()` begins with its sentence. */
  preamble?: boolean;
  /** Names of columns that differ from those that the template reads. */
  columns: Partial<Record<ColumnName, string>>;
  /** Keys of a message that hold its role and its text. */
  roleKey?: string;
  contentKey?: string;
}

export const newDataset = (at: Span): Dataset => ({ at, columns: {} });

/** A line in the pipeline, above the setting that it is about. */
interface Remark {
  readonly at: RemarkPlace;
  readonly text: string;
}

type RemarkPlace =
  | 'base'
  | 'source'
  | 'split'
  | 'limit'
  | 'template'
  | 'max_length'
  | 'lora'
  | 'optimizer'
  | 'batch'
  | 'stop'
  | 'checkpoint'
  | 'engine'
  | 'objective'
  | 'sharding'
  | 'dtype';

/** A setting that other keys can leave without an effect. `lora`: all of an adapter but its dropout. */
export type RecipePart = keyof Recipe | 'dropout' | 'warmup';

/** An argument of an objective. */
export type PreferencePart =
  | 'beta'
  | 'pairLoss'
  | 'pairSmoothing'
  | 'sftWeight'
  | 'gamma'
  | 'desirable'
  | 'undesirable'
  | 'reference';

export interface Recipe {
  base?: { readonly name: string; readonly at: Span };
  revision?: string;
  /** Added to the base. */
  specialTokens?: readonly string[];
  plainTokens?: readonly string[];
  method?: 'lora' | 'full';
  fourBit?: boolean;
  lora: {
    rank?: number;
    alpha?: number;
    dropout?: number;
    /** A set of ftpc, or names and ends of paths. */
    targets?: 'all_linear' | 'query_value' | readonly string[];
    /** Ends of the paths of parameters with experts. */
    experts?: readonly string[];
    exclude?: readonly string[];
    rslora?: boolean;
    dora?: boolean;
    bias?: 'all' | 'lora_only';
    layers?: readonly number[];
    rankPattern?: ReadonlyMap<string, number>;
    alphaPattern?: ReadonlyMap<string, number>;
    modulesToSave?: readonly string[];
    init?: 'kaiming' | 'gaussian' | 'pissa';
  };
  /** Folder of an adapter to continue from. */
  start?: string;
  /** Nothing is trained: adapters are merged into the base, one after the other. */
  merges?: boolean;
  /** Folders of those, where there are several. */
  adapters?: readonly string[];
  /** Of the merged weights; left out, that of the base. */
  dtype?: 'f32' | 'f16' | 'bf16';
  /** As the tool calls it; `optimizers.ts` knows what it is here. */
  optimizer?: string;
  rate?: number;
  decay?: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** 0: not clipped. */
  clip?: number;
  loraplusRatio?: number;
  /** As the tool calls it; `schedules.ts` knows what it is here. */
  schedule?: string;
  /** Share of the steps. */
  warmupRatio?: number;
  warmupSteps?: number;
  /** Of the schedule, by their names there. */
  scheduleArguments?: Readonly<Record<string, number | string>>;
  /** What is learned from preferences; left out, a training learns to write. */
  objective?: ObjectiveName;
  beta?: number;
  pairLoss?: 'sigmoid' | 'hinge' | 'ipo';
  /** Share of the pairs whose order is taken to be wrong. */
  pairSmoothing?: number;
  /** Weight of the cross entropy of the chosen answers. */
  sftWeight?: number;
  gamma?: number;
  desirable?: number;
  undesirable?: number;
  /** Another model that answers are compared with. */
  reference?: { readonly name: string; readonly at: Span };
  /** Losses of pairs that are added up, as TRL names them, and their weights. */
  pairLosses?: readonly string[];
  lossWeights?: readonly number[];
  /** Rows per device and backward pass. */
  micro?: number;
  accumulation?: number;
  /** Rows per step of one device, if it is said as such. */
  stepRows?: number;
  /** Rows per step of all devices, if it is said as such. */
  totalRows?: number;
  /** In all, as the command was told; without that, as the file says. */
  devices?: number;
  /** How devices share the training. */
  sharing: {
    /** Somebody asks for several devices, with a number or without. */
    isShared?: boolean;
    /** Of all machines: one per device. */
    processes?: number;
    nodes?: number;
    sharding?: Sharding;
    /** What a device does not use lies in the memory of its machine. */
    offloads?: boolean;
  };
  packing?: boolean;
  epochs?: number;
  steps?: number;
  patience?: number;
  /** Steps from one checkpoint to the next, and from one validation to the next. */
  saves?: number;
  validations?: number;
  /** Whether they come every so many steps at all. */
  savesBySteps?: boolean;
  validatesBySteps?: boolean;
  /** Steps from one checkpoint to the next, and from one validation to the next where that differs. */
  every?: number;
  validateEvery?: number;
  /** Metric that the best checkpoint is best by, where it is not the loss. */
  best?: string;
  keep?: number;
  neftune?: number;
  smoothing?: number;
  order?: 'file' | 'by_length';
  seed?: number;
  maxLength?: number;
  overflow?: 'drop' | 'truncate' | 'split';
  lossOn?: 'assistant' | 'last' | 'all';
  system?: string;
  /** A family of chat templates, as the tool calls it, or `{ file }`. */
  style?: string | { readonly file: string };
  datasets: Dataset[];
  /** Rows for validation that are read from elsewhere. */
  validation: Dataset[];
  validShare?: number;
  /**
   * Rows of the data sets take turns until one has no more, or until all have been used up; left out: one data set
   * after the other.
   */
  interleaved?: 'first_exhausted' | 'all_exhausted';
  /** How often each data set has its turn; left out: all as often. */
  turns?: readonly number[];
  exactDuplicates?: boolean;
  limit?: number;
  remarks: Remark[];
}

export const newRecipe = (devices?: number): Recipe => ({
  lora: {},
  ...(devices === undefined ? {} : { devices }),
  sharing: {},
  datasets: [],
  validation: [],
  remarks: [],
});

export const remark = (recipe: Recipe, at: RemarkPlace, text: string): void =>
  void recipe.remarks.push({ at, text });

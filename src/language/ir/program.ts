/** The checked program: stages with every setting evaluated, typed and filled in. Plain JSON except for the spans. */
import type { BinaryOperatorText } from '../../../grammar/operators.js';
import type { Span } from '../source/span.js';
import type { Machine } from './machine.js';
import type { SearchMethod } from './search-methods.js';

export const STAGE_KINDS = ['data', 'format', 'train', 'eval', 'merge', 'deploy'] as const;
export type StageKind = (typeof STAGE_KINDS)[number];

/** A setting's value. Calls, references and quantities are tagged objects, so that a reader never guesses. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Quantity
  | Call
  | Reference
  | FileValue
  | SecretValue
  | readonly Value[]
  | { readonly [key: string]: Value };

/** Settings, arguments or fields of a record by their names. */
export type Values = Readonly<Record<string, Value>>;

/**
 * Base units: bytes, seconds, tokens, steps, and 1 for a ratio (5% is 0.05); of machines, bytes per second, operations per
 * second, US dollars, and US dollars per hour.
 */
export type Unit =
  | 'bytes'
  | 'seconds'
  | 'tokens'
  | 'steps'
  | 'ratio'
  | 'bandwidth'
  | 'rate'
  | 'price'
  | 'hourly_price';

/**
 * Only where a setting takes more than one unit (`warmup: 3%` or `5steps`); elsewhere a quantity is its bare number in
 * base units.
 */
export interface Quantity {
  readonly unit: Unit;
  readonly value: number;
}

/** `adamw(rate: 2e-4)`: a standard-library function with every argument, defaults filled in. */
export interface Call {
  readonly call: string;
  readonly args: { readonly [name: string]: Value };
}

/** `adapter.best`: a stage's port. `port` is `''` for the stage itself. */
export interface Reference {
  readonly stage: string;
  readonly port: string;
}

/**
 * `file("prompts/legal.md")`: path as written, relative to the folder of the source file; its text is read when the
 * program is compiled.
 */
export interface FileValue {
  readonly file: string;
  readonly sha256: string;
  readonly text: string;
}

/** A secret by its name and the environment variable that holds it; never its content. */
export interface SecretValue {
  readonly secret: string;
  readonly env: string;
}

/**
 * A file of a repository on a model hub: large ones have a SHA-256, the others the id of their Git blob (SHA-1), or
 * neither where only the file itself is known.
 */
export interface HubFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256?: string;
  readonly blob?: string;
}

/** A repository whose revision has become a commit, with the files that a pipeline reads of it. */
export interface PinnedRepository {
  readonly kind: 'model' | 'dataset';
  readonly id: string;
  readonly revision: string;
  readonly commit: string;
  readonly files: readonly HubFile[];
  /** Environment variable of the secret that opens it. */
  readonly secret?: string;
}

/** Files in a format that no training computes with. */
interface StoredShape {
  readonly format: string;
  readonly bytes: number;
  /** Classes of transformers that read them, and that say how. */
  readonly reader: string;
  readonly config: string;
}

/** A model that is planned by its shape alone: its weights, or all of its files, are not here. */
export interface ModelShape {
  /** As the pipeline names it. */
  readonly model: string;
  /** Where the shape is from. */
  readonly source: string;
  /** Bytes of its weights, in the type in which they are published. */
  readonly bytes: number;
  readonly hasTokenizer: boolean;
  /** Its files hold weights in 4 bits of bitsandbytes, and the plan takes them as they were before. */
  readonly isQuantised: boolean;
  /** Its files hold most weights in a format that no training computes with, and the plan takes them as bfloat16. */
  readonly stored?: StoredShape;
}

/** The preset that set a value, and the module it is in: `std/train`, or the path of a file. */
export interface PresetOrigin {
  readonly preset: string;
  readonly module: string;
}

export type Origin = 'author' | 'preset' | 'default' | 'planner' | 'param';

/** Which of the stages that a matrix leads to a stage is. */
export interface Instance {
  /** The name that is declared; that of the stage continues with `@rate=1e-4`. */
  readonly of: string;
  /** The values that its name shows, by matrix. */
  readonly at: Readonly<Record<string, Value>>;
}

export interface Stage {
  readonly kind: StageKind;
  readonly name: string;
  /** Where a matrix makes several stages of one block. */
  readonly instance?: Instance;
  /** `using NAME`, `undefined` if the planner chooses. */
  readonly preset?: string;
  /** Checked against the kind's schema; its static type is `Infer<typeof schema>`. Settings left to the planner are absent. */
  readonly settings: Readonly<Record<string, Value>>;
  /** Who set each top-level setting, and `lora.rank` style paths inside records. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** Of every path whose origin is `preset`: which one. */
  readonly presets?: Readonly<Record<string, PresetOrigin>>;
  readonly requires: readonly Requirement[];
  /** It reads what the winner of the search made, near or far: until that is known, what the first trial makes is meant. */
  readonly awaitsWinner?: true;
  /** Stages that this one reads, by name, without repetition, in order of the schema. */
  readonly inputs: readonly string[];
  readonly doc?: string;
  readonly span: Span;
}

/** `require quality.rouge_l - baseline.rouge_l >= 0.02` */
export interface Requirement {
  /** As written. */
  readonly text: string;
  readonly condition: Expression;
  readonly span: Span;
}

/** What an expression has literals of; numbers are in base units. */
export type Scalar = number | boolean | string | null;

/** Of a number its unit; `any`: told only by the value itself. */
export type ValueType = Unit | 'number' | 'boolean' | 'text' | 'none' | 'any';

/** What a requirement reads: `['rows']`, `['baseline', 'perplexity']`, `['peak_memory']`. */
export interface MetricName {
  readonly path: readonly string[];
}

/** A checked expression. `Name` says what supplies the value of a name, `Mark` what every part carries besides its type. */
export type Expression<Name = MetricName, Mark = unknown> =
  | NameExpression<Name, Mark>
  | BinaryExpression<Name, Mark>
  | (Mark & { readonly type: ValueType } & (
        | { readonly op: 'value'; readonly value: Scalar }
        | { readonly op: 'not' | 'negate'; readonly operand: Expression<Name, Mark> }
        | {
            readonly op: 'choose';
            readonly condition: Expression<Name, Mark>;
            readonly whenTrue: Expression<Name, Mark>;
            readonly whenFalse: Expression<Name, Mark>;
          }
      ));

export type NameExpression<Name = MetricName, Mark = unknown> = Mark &
  Name & { readonly op: 'name'; readonly type: ValueType };

export type BinaryExpression<Name = MetricName, Mark = unknown> = Mark & {
  readonly op: BinaryOperatorText;
  readonly type: ValueType;
  readonly left: Expression<Name, Mark>;
  readonly right: Expression<Name, Mark>;
};

export interface Budget {
  readonly name: string;
  /** By the schema in `src/language/schemas/stages/budget.ts`. */
  readonly settings: Readonly<Record<string, Value>>;
  readonly requires: readonly Requirement[];
  readonly span: Span;
}

/** One trial of a search. */
interface Trial {
  /** The value of each matrix. */
  readonly at: Readonly<Record<string, Value>>;
  /** Of every stage that depends on a matrix, by the name that is declared: that of the trial's own. */
  readonly stages: Readonly<Record<string, string>>;
}

/** `matrix best: Search = search(halving, trials: 20, by: quality.rouge_l)` */
export interface Search {
  readonly name: string;
  readonly span: Span;
  readonly method: SearchMethod;
  /** The stage as it is declared, and what of it is compared. */
  readonly by: Reference;
  readonly factor: number;
  readonly trials: readonly Trial[];
  /** With `halving`: the training, as it is declared, whose trials end early. */
  readonly training?: string;
}

export interface Program {
  /** The pipeline's file as asked for, and its name without folder and ending. */
  readonly file: string;
  readonly name: string;
  /** Absolute folder of the file: what relative paths in it start from. */
  readonly folder: string;
  /** In an order in which every stage is after its inputs; ties in source order. */
  readonly stages: readonly Stage[];
  readonly budgets: readonly Budget[];
  /** Left out where nothing is searched. */
  readonly search?: Search;
  readonly params: Readonly<Record<string, Value>>;
  /** Those that the file declares or imports. */
  readonly machines?: readonly Machine[];
  /** Where models and data sets of a hub are read: what their revisions are. */
  readonly repositories?: readonly PinnedRepository[];
  /** Left out where all models are here, or their files can be fetched. */
  readonly shapes?: readonly ModelShape[];
  readonly doc?: string;
}

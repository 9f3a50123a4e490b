/**
 * The language of stage schemas. One schema a kind drives the checker, the defaults, completion, the
 * reference docs and the published JSON Schema; `Infer` gives the static type its runner reads.
 */
import type {
  Call,
  FileValue,
  Quantity,
  Reference,
  SecretValue,
  StageKind,
  Unit,
  Value,
} from '../ir/program.js';

/** What a port outputs, and what a setting that refers to a port accepts. */
export type PortType = 'Data' | 'Dialogs' | 'Adapter' | 'Model' | 'Gate' | 'Metric';

export type SettingType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | {
      readonly kind: 'number';
      readonly min?: number;
      readonly max?: number;
      readonly above?: number;
      readonly below?: number;
    }
  /**
   * `names`: the string is a file, a glob, a GGUF file, or the folder of a model or adapter, relative to the file it is
   * in; the checker looks whether it is there. `form`: it is called so, and the checker looks whether it can be.
   */
  | {
      readonly kind: 'string';
      readonly names?: 'files' | 'gguf' | 'model' | 'adapter';
      readonly form?: 'repository' | 'revision' | 'filled' | 'pattern';
    }
  /** A bare number in the base unit; with several units, a {@link Quantity}. */
  | {
      readonly kind: 'quantity';
      readonly units: readonly Unit[];
      readonly min?: number;
      readonly max?: number;
    }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly of: SettingType; readonly min?: number }
  | { readonly kind: 'record'; readonly fields: Readonly<Record<string, Setting>> }
  /** A record whose keys the author chooses, with values of one type. */
  | { readonly kind: 'map'; readonly of: SettingType }
  /** A call of a standard-library function of this family, e.g. `optimizer`. */
  | { readonly kind: 'call'; readonly family: Family }
  /** `file("…")`; a word of `library` stands for a file that comes with ftpc. */
  | { readonly kind: 'file'; readonly library?: FileLibrary }
  /** A declared `secret`, by name. */
  | { readonly kind: 'secret' }
  | { readonly kind: 'port'; readonly accepts: readonly PortType[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'union'; readonly of: readonly SettingType[] };

/** Files of `stdlib/` that a setting takes by name: `llama3` for `stdlib/chat/llama3.jinja`. */
export interface FileLibrary {
  readonly folder: string;
  readonly ending: string;
  readonly names: readonly string[];
}

/** Families of standard-library functions; `src/language/schemas/functions/` has a table for each. */
export type Family =
  | 'model'
  | 'source'
  | 'template'
  | 'dedupe'
  | 'optimizer'
  | 'schedule'
  | 'objective'
  | 'fallback'
  | 'answer'
  | 'metric'
  | 'endpoint'
  | 'target'
  | 'adapter'
  | 'search'
  | 'range'
  | 'tracker';

export interface Setting<T = unknown> {
  readonly type: SettingType;
  /** One sentence for the reference, hover and completion. */
  readonly doc: string;
  /** Left out and `required` false: absent unless the planner fills it in. */
  readonly default?: Value;
  readonly required: boolean;
  /** Changes nothing in the artefact (e.g. how often progress is printed): kept out of cache keys. */
  readonly inert?: boolean;
  /** Only for the type system. */
  readonly _type?: T;
}

export interface Port {
  readonly type: PortType;
  readonly doc: string;
  /** Where a preset changes what the port outputs: `using full` gives a model, not an adapter. */
  readonly typeUsing?: Readonly<Record<string, PortType>>;
}

export interface StageSchema {
  readonly kind: StageKind;
  /** One paragraph for the reference. */
  readonly doc: string;
  /** Names that may follow `using`. */
  readonly presets: readonly string[];
  readonly settings: Readonly<Record<string, Setting>>;
  /** By name; `''` is the stage itself. */
  readonly ports: Readonly<Record<string, Port>>;
  /** Names that a `require` in this stage may use, with their unit and when they are known. */
  readonly metrics: Readonly<Record<string, MetricSchema>>;
}

export interface MetricSchema {
  readonly doc: string;
  readonly unit: Unit | 'number' | 'boolean';
  /** Lower bound of all measurements. Default: 0. */
  readonly min?: number;
  readonly known: 'plan' | 'run';
  /** A share of rows, which people read in percent. */
  readonly isShare?: true;
}

/** A function of the standard library: its arguments are settings too; `positional` ones may be given without a name. */
export interface FunctionSchema {
  readonly family: Family;
  /** How pipelines write it, where a function of another family has its name. */
  readonly spelling?: string;
  readonly doc: string;
  readonly positional: readonly string[];
  readonly args: Readonly<Record<string, Setting>>;
}

/** The static type of a record of settings. */
export type Infer<S extends Readonly<Record<string, Setting>>> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

type Options = { readonly default?: Value; readonly inert?: boolean };

/** Builders: `required(t)` must be written, `optional(t)` has a default or is left to the planner. */
export const required = <T>({ type }: StaticType<T>, doc: string): Setting<T> => ({
  type,
  doc,
  required: true,
});
export const optional = <T>(
  { type }: StaticType<T>,
  doc: string,
  options: Options = {},
): Setting<T | undefined> => ({ type, doc, required: false, ...options });
/** Always present for the runner, since the default fills it in. A record's default is `{}`: its fields have their own. */
export const defaulted = <T>(
  { type }: StaticType<T>,
  value: Value,
  doc: string,
  options: Pick<Options, 'inert'> = {},
): Setting<T> => ({ type, doc, required: false, default: value, ...options });

interface StaticType<T> {
  readonly type: SettingType;
  readonly _type?: T;
}

const of = <T>(type: SettingType): StaticType<T> => ({ type });

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export const t = {
  boolean: of<boolean>({ kind: 'boolean' }),
  integer: (bounds: Bounds = {}) => of<number>({ kind: 'integer', ...bounds }),
  number: (bounds: Bounds & { readonly above?: number; readonly below?: number } = {}) =>
    of<number>({ kind: 'number', ...bounds }),
  string: of<string>({ kind: 'string' }),
  /** A text that is not empty. */
  filled: of<string>({ kind: 'string', form: 'filled' }),
  /** A regular expression. */
  pattern: of<string>({ kind: 'string', form: 'pattern' }),
  /** A file or glob that must match something. */
  files: of<string>({ kind: 'string', names: 'files' }),
  /** One GGUF file. */
  ggufFile: of<string>({ kind: 'string', names: 'gguf' }),
  /** A folder that must hold a model. */
  modelFolder: of<string>({ kind: 'string', names: 'model' }),
  /** A folder that must hold an adapter. */
  adapterFolder: of<string>({ kind: 'string', names: 'adapter' }),
  /** `org/name` on a model hub. */
  repository: of<string>({ kind: 'string', form: 'repository' }),
  /** A branch, tag or commit. */
  revision: of<string>({ kind: 'string', form: 'revision' }),
  secret: of<SecretValue>({ kind: 'secret' }),
  quantity: (unit: Unit, bounds: Bounds = {}) => of<number>({ kind: 'quantity', units: [unit], ...bounds }),
  quantities: (...units: Unit[]) => of<Quantity>({ kind: 'quantity', units }),
  enum: <const V extends string>(...values: readonly V[]) => of<V>({ kind: 'enum', values }),
  list: <T>(items: StaticType<T>, bounds: Pick<Bounds, 'min'> = {}) =>
    of<readonly T[]>({ kind: 'list', of: items.type, ...bounds }),
  record: <const F extends Readonly<Record<string, Setting>>>(fields: F) =>
    of<Infer<F>>({ kind: 'record', fields }),
  map: <T>(values: StaticType<T>) => of<Readonly<Record<string, T>>>({ kind: 'map', of: values.type }),
  call: (family: Family) => of<Call>({ kind: 'call', family }),
  file: of<FileValue>({ kind: 'file' }),
  fileOf: (library: FileLibrary) => of<FileValue>({ kind: 'file', library }),
  port: (...accepts: PortType[]) => of<Reference>({ kind: 'port', accepts }),
  none: of<null>({ kind: 'none' }),
  union: <A, B, C = never>(a: StaticType<A>, b: StaticType<B>, c?: StaticType<C>) =>
    of<A | B | C>({ kind: 'union', of: c === undefined ? [a.type, b.type] : [a.type, b.type, c.type] }),
};

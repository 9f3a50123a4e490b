import type { AdapterConfig, AdapterKind } from '../../models/adapters/config.js';
import type { TensorEntry } from '../../models/safetensors/header.js';
import type { SafetensorsFile } from '../../models/safetensors/read.js';
import type { AdapterBase } from '../adapter-folder.js';
import type { ConfigFields } from '../config-fields.js';

/** Fields of an `adapter_config.json`. */
export type PeftFields = Readonly<Record<string, unknown>>;

/** What a model card says about an adapter. */
export interface CardContent {
  /** The Hub's tag for the kind of adapter. */
  readonly tag?: string;
  readonly title: string;
  readonly facts: readonly (readonly [string, string | number])[];
}

/** How PEFT saves a kind of adapter. */
export interface PeftFormat<K extends AdapterKind> {
  fields(adapter: AdapterConfig<K>, base: AdapterBase): PeftFields;
  card(adapter: AdapterConfig<K>): CardContent;
  /** What a tensor is called in the file. */
  nameInFile(name: string): string;
  /** `undefined` for what is read by the reader of another kind. */
  readonly reader?: PeftReader;
}

export interface PeftReader {
  readonly type: string;
  /** Fields that are read, or say nothing of the computation once the tensors are there. */
  readonly known: ReadonlySet<string>;
  /** `labels` reads what the folder calls the classes of a head. Throws a `ModelError` that names the field at fault. */
  parse(fields: ConfigFields, labels: () => readonly string[]): PeftConfig;
}

export interface PeftConfig {
  readonly base: AdapterBase;
  /** Throws a `ModelError` that names the tensor at fault. */
  open(file: SafetensorsFile, configPath: string): PeftContents;
}

/** A config with the names of its tensors in this program. */
export interface PeftContents {
  readonly config: AdapterConfig;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** Release of PEFT whose files these are. */
export const PEFT_VERSION = '0.21.2';

/** What PEFT puts before the names of the base model's modules. */
export const PREFIX = 'base_model.model.';

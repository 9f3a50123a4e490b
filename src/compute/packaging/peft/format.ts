/** What every `adapter_config.json` of PEFT has in common. */

import { isJson, type Json } from '../../../language/host/json.js';
import type { AdapterConfig, AdapterKind } from '../../models/adapters/config.js';
import type { TensorEntry } from '../../models/safetensors/header.js';
import type { SafetensorsFile } from '../../models/safetensors/read.js';
import { ModelError } from '../../models/types.js';
import type { AdapterBase } from '../adapter-folder.js';
import { ConfigFields } from '../config-fields.js';

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
  nameInFile(name: string, adapter: AdapterConfig<K>): string;
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

/** `adapter_config.json` as PEFT writes it: sorted keys, two spaces, ASCII, a float for the dropout. */
export function formatConfig(fields: PeftFields): string {
  const sorted = Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(sorted, null, 2)
    .replace(/^( {2}"lora_dropout": \d+)(,?)$/m, '$1.0$2')
    .replace(
      /[\u007f-\uffff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

const INIT = 'init_lora_weights';

/** Values that leave a field without effect, besides null, false, and the empty list and object. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  bias: ['none'],
  num_transformer_submodules: [1],
  // Other initialisations, such as pissa, change the base weights as well.
  [INIT]: [true, false, 'gaussian', 'orthogonal', 'eva'],
};

/** How to fix a folder that PEFT would not have written so. */
const AS_SAVED = 'Use an adapter that PEFT saved, of a supported kind and with supported options.';

/** The way round what is not read. */
const otherwise = (train: string): string =>
  `${train}, or let PEFT merge it (\`merge_and_unload\`) and name the merged model as the base.`;
export const OTHER_KIND = otherwise('Train an adapter of one of these kinds');
export const OTHERWISE = otherwise('Train the adapter without it');
const CONVERTED =
  'Save it with `path_initial_model_for_weight_conversion`, by which PEFT makes it an adapter over the base as it was.';

export const invalid = (path: string, detail: string, help = AS_SAVED): ModelError =>
  new ModelError('adapter_invalid', path, detail, help);

export const configFields = (json: Json, path: string): ConfigFields =>
  new ConfigFields(json, (field, found, must, help) =>
    invalid(path, `"${field}" is ${found}; ${must}.`, help),
  );

/** A config may name a field as every object has one. */
const harmless = (field: string, value: unknown): boolean =>
  Object.hasOwn(HARMLESS, field) && HARMLESS[field]?.includes(value) === true;

/** A field that is not known asks for something, unless its value leaves it without effect. */
export function refuseUnknown(fields: ConfigFields, known: ReadonlySet<string>): void {
  for (const [field, value] of Object.entries(fields.json))
    if (!known.has(field) && !isEmpty(value) && !harmless(field, value)) {
      if (field === INIT) fields.fail(field, 'such an adapter fits only weights that it changed', CONVERTED);
      fields.fail(field, 'this feature is not supported', OTHERWISE);
    }
}

export const baseOf = (fields: ConfigFields): AdapterBase => ({
  name: fields.text('base_model_name_or_path'),
  revision: fields.text('revision'),
});

export function isEmpty(value: unknown): boolean {
  if (value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJson(value) && Object.keys(value).length === 0;
}

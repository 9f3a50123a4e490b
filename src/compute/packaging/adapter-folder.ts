/** Folders of adapters, whichever library reads and writes them. */
import type { Adapter, LoraConfig } from '../models/types.js';
import type { AdapterBase } from './peft/config-file.js';

/** An adapter folder whose config and names of tensors were read, and no values. */
export interface OpenedAdapter {
  readonly path: string;
  readonly base: AdapterBase;
  readonly config: LoraConfig;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** Reads the values. */
  load(): LoadedAdapter;
}

export interface LoadedAdapter extends Adapter {
  readonly path: string;
  readonly base: AdapterBase;
}

export interface AdapterFilesOptions {
  readonly base: AdapterBase;
  /** Licence of the base, for the model card. */
  readonly licence?: string;
}

/** By name within the folder. */
export type FileContents = Readonly<Record<string, string | Iterable<Uint8Array>>>;

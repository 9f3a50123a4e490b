/** Folders of adapters, whichever library reads and writes them. */
import type { AdapterConfig, AdapterKind } from '../models/adapters/config.js';
import type { RowPrompt } from '../models/training-prompt.js';
import type { Adapter, ModelConfig } from '../models/types.js';

/** What an adapter folder says about its base. */
export interface AdapterBase {
  /** Name or path of the base model. */
  readonly name: string | null;
  readonly revision: string | null;
  /** Whether its linear layers are stored as `[inputs, outputs]`, which PEFT calls fan-in, fan-out. */
  readonly transposed?: boolean;
  /** Heads that a prefix has keys and values for. */
  readonly prefixHeads?: number;
  /** Its config: what is written of its shape with virtual tokens or bottlenecks. */
  readonly shape?: ModelConfig;
  /** Rows of its embedding and head, where tokens were added to it. */
  readonly resized?: number;
}

/** An adapter folder whose config and names of tensors were read, and no values. */
export interface OpenedAdapter {
  readonly path: string;
  readonly base: AdapterBase;
  readonly config: AdapterConfig;
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
  /** How the rows asked that it was trained on, for the model card. */
  readonly prompt?: RowPrompt;
}

/** By name within the folder. */
export type FileContents = Readonly<Record<string, string | Iterable<Uint8Array>>>;

/** The files of an adapter's folder; equal adapters give equal bytes. The tensors are read when they are written. */
export type AdapterFiles<K extends AdapterKind> = (
  adapter: Adapter<K>,
  options: AdapterFilesOptions,
) => FileContents;

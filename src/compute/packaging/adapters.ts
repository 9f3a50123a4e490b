import type { Host } from '../../language/host/host.js';
import type { OutputFolder } from '../../language/ir/outputs.js';
import type { AdapterConfig, AdapterKind } from '../models/adapters/config.js';
import { lacking, readJsonFile } from '../models/read-file.js';
import { type Adapter, ModelError } from '../models/types.js';
import type {
  AdapterFiles,
  AdapterFilesOptions,
  FileContents,
  LoadedAdapter,
  OpenedAdapter,
} from './adapter-folder.js';
import { bottleneckFiles, openBottleneck } from './adapterhub/bottleneck.js';
import { isAdapterHub } from './adapterhub/config-file.js';
import { LABELS_FILE, openPeft, PEFT_FORMATS, peftFiles } from './peft/folder.js';
import type { PeftFormat } from './peft/format.js';

/** The files of an adapter folder that say what it computes, and what the classes of its head are called. */
export const ADAPTER_FILES = [
  'adapter_config.json',
  'adapter_model.safetensors',
  'adapter.safetensors',
  LABELS_FILE,
] as const;
const [CONFIG] = ADAPTER_FILES;

/**
 * Opens an adapter that PEFT, AdapterHub's `adapters` or this program saved. Throws a {@link ModelError}
 * `adapter_invalid` that names the field or tensor at fault.
 */
export function openAdapter(host: Host, folder: string): OpenedAdapter {
  const configPath = `${folder}/${CONFIG}`;
  if (host.stat(configPath) === undefined) {
    throw new ModelError(
      'model_not_found',
      folder,
      lacking(host, folder, CONFIG),
      'Give a folder that PEFT or AdapterHub saved.',
    );
  }
  const json = readJsonFile(host, configPath, { code: 'adapter_invalid', maxBytes: 5_000_000 });
  const open = isAdapterHub(json) ? openBottleneck : openPeft;
  return open(host, folder, json, configPath);
}

/** Opens and reads an adapter; throws as {@link openAdapter} does. */
export const readAdapter = (host: Host, folder: string): LoadedAdapter => openAdapter(host, folder).load();

/** How each kind of adapter is saved: as PEFT does, or as AdapterHub's `adapters`. */
const FILES: { readonly [K in AdapterKind]: AdapterFiles<K> } = {
  lora: peftFiles(PEFT_FORMATS.lora),
  head: peftFiles(PEFT_FORMATS.head),
  prompt: peftFiles(PEFT_FORMATS.prompt),
  prefix: peftFiles(PEFT_FORMATS.prefix),
  bottleneck: bottleneckFiles,
};

/** What PEFT calls a trained tensor in its files; `undefined` for a kind of adapter that it does not have. */
export function nameInPeft(adapter: AdapterConfig): ((name: string) => string) | undefined {
  if (adapter.kind === 'bottleneck') return undefined;
  const format = formatOf(adapter);
  return (name) => format.nameInFile(name, adapter);
}

const formatOf = <K extends keyof typeof PEFT_FORMATS>({ kind }: AdapterConfig<K>): PeftFormat<K> =>
  PEFT_FORMATS[kind] as PeftFormat<K>;

/** The files of an adapter folder. */
export const adapterFiles = <K extends AdapterKind>(
  adapter: Adapter<K>,
  options: AdapterFilesOptions,
): FileContents => FILES[adapter.config.kind](adapter, options);

/** Writes the adapter into `folder` of an output. Throws what the output throws. */
export function writeAdapter(
  output: Pick<OutputFolder, 'write'>,
  folder: string,
  adapter: Adapter,
  options: AdapterFilesOptions,
): void {
  for (const [name, content] of Object.entries(adapterFiles(adapter, options)))
    output.write(`${folder}/${name}`, content);
}

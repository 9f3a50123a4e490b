import type { OutputFolder } from '../../language/ir/outputs.js';
import type { AdapterKind } from '../models/adapters/config.js';
import type { Adapter } from '../models/types.js';
import type { AdapterFiles, AdapterFilesOptions, FileContents } from './adapter-folder.js';
import { bottleneckFiles } from './adapterhub/bottleneck.js';
import { peftFiles } from './peft/folder.js';
import { PEFT_FORMATS } from './peft/formats.js';

/** How each kind of adapter is saved: as PEFT does, or as AdapterHub's `adapters`. */
const FILES: { readonly [K in AdapterKind]: AdapterFiles<K> } = {
  lora: peftFiles(PEFT_FORMATS.lora),
  head: peftFiles(PEFT_FORMATS.head),
  prompt: peftFiles(PEFT_FORMATS.prompt),
  prefix: peftFiles(PEFT_FORMATS.prefix),
  bottleneck: bottleneckFiles,
};

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

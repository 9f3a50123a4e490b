import type { OutputFolder } from '../../../language/ir/outputs.js';
import { PREFIX_EMBEDDING } from '../../models/adapters/prefix.js';
import { PROMPT } from '../../models/adapters/prompt.js';
import { f32Writable, safetensorsChunks } from '../../models/safetensors/write.js';
import type { Adapter } from '../../models/types.js';
import type { AdapterFilesOptions, FileContents } from '../adapter-folder.js';
import { bottleneckFiles } from '../adapterhub/folder.js';
import { modelCard } from './card.js';
import { formatConfig } from './config-file.js';
import { formatLabels, LABELS } from './labels.js';

/** What PEFT puts before the names of the base model's modules. */
export const PREFIX = 'base_model.model.';

/** What PEFT calls a tensor in its files. */
const nameInFile = (name: string): string =>
  name === PROMPT || name === PREFIX_EMBEDDING ? PROMPT : PREFIX + name;

/** The files of an adapter folder, PEFT's or for bottlenecks AdapterHub's; equal adapters give equal bytes. The tensors are read when they are written. */
export function adapterFiles(adapter: Adapter, options: AdapterFilesOptions): FileContents {
  const { bottleneck } = adapter.config;
  if (bottleneck !== undefined) return bottleneckFiles(adapter, bottleneck, options);
  const { base, licence } = options;
  const tensors = [...adapter.tensors].map(([name, { shape, data }]) =>
    f32Writable(nameInFile(name), shape, data),
  );
  return {
    'adapter_config.json': formatConfig(adapter.config, base),
    'adapter_model.safetensors': { [Symbol.iterator]: () => safetensorsChunks(tensors) },
    ...(adapter.config.labels === undefined ? {} : { [LABELS]: formatLabels(adapter.config.labels) }),
    'README.md': modelCard(adapter.config, base, licence),
  };
}

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

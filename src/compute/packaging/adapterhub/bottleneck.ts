/** Folders of bottleneck adapters, as AdapterHub's `adapters` saves and loads them. */

import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { ADAPTER_NAME } from '../../models/adapters/bottleneck.js';
import type { TensorEntry } from '../../models/safetensors/header.js';
import { openSafetensors } from '../../models/safetensors/read.js';
import { f32Writable, safetensorsChunks } from '../../models/safetensors/write.js';
import type { AdapterFiles, OpenedAdapter } from '../adapter-folder.js';
import { checkTypes, valuesOf } from '../tensor-values.js';
import { bottleneckCard } from './card.js';
import { formatBottleneck, invalid, parseBottleneck } from './config-file.js';
import { INTERFACE_FILE, interfaceFile } from './interface.js';

/** The library's name of the file, where it is no pickle. */
const BOTTLENECK_WEIGHTS = 'adapter.safetensors';

const NAME =
  /^(.+\.(?:attention|output)_adapters\.adapters)\.(.+)\.(adapter_down\.0|adapter_up)\.(weight|bias)$/;

/** Opens a folder whose config was read. Throws a `ModelError` that names the field or tensor at fault. */
export function openBottleneck(host: Host, folder: string, json: Json, configPath: string): OpenedAdapter {
  const { config, name, base } = parseBottleneck(json, configPath);
  const path = `${folder}/${BOTTLENECK_WEIGHTS}`;
  if (host.stat(path) === undefined)
    throw invalid(
      folder,
      `The folder has no ${BOTTLENECK_WEIGHTS}; pickled weights are not read, since they can run code.`,
    );
  const file = openSafetensors(host, path);
  const tensors = new Map(
    [...file.tensors].map(([fullName, entry]): [string, TensorEntry] => {
      const [, list, adapter, layer, part] = NAME.exec(fullName) ?? [];
      if (list === undefined || adapter !== name)
        throw invalid(path, `Tensor "${fullName}" does not belong to the bottleneck adapter "${name}".`);
      return [`${list}.${ADAPTER_NAME}.${layer}.${part}`, entry];
    }),
  );
  if (tensors.size === 0) throw invalid(path, 'The adapter has no tensors.');
  checkTypes(tensors, file);
  const opened = { path: folder, base, config, tensors };
  return { ...opened, load: () => ({ ...opened, tensors: valuesOf(tensors, file) }) };
}

/** The files of such a folder; equal adapters give equal bytes. */
export const bottleneckFiles: AdapterFiles<'bottleneck'> = ({ config, tensors }, { base, licence }) => {
  const writable = [...tensors].map(([name, { shape, data }]) => f32Writable(name, shape, data));
  const told = interfaceFile(base.shape);
  return {
    'adapter_config.json': formatBottleneck(config, base),
    [BOTTLENECK_WEIGHTS]: { [Symbol.iterator]: () => safetensorsChunks(writable) },
    ...(told === undefined ? {} : { [INTERFACE_FILE]: told }),
    'README.md': bottleneckCard(config, { base, licence, isTold: told !== undefined }),
  };
};

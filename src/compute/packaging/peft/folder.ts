/** Folders of adapters as PEFT saves and loads them. */
import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { labelsOf } from '../../models/adapters/classifier.js';
import type { AdapterKind } from '../../models/adapters/config.js';
import { openSafetensors, type SafetensorsFile } from '../../models/safetensors/read.js';
import { f32Writable, safetensorsChunks } from '../../models/safetensors/write.js';
import type { AdapterFiles, OpenedAdapter } from '../adapter-folder.js';
import { checkTypes, valuesOf } from '../tensor-values.js';
import { modelCard } from './card.js';
import { configFields, formatConfig, invalid, OTHER_KIND, refuseUnknown } from './config-file.js';
import type { PeftFormat } from './format.js';
import { PEFT_READERS } from './formats.js';
import { formatLabels, LABELS, readLabels } from './labels-file.js';

const PEFT_WEIGHTS = 'adapter_model.safetensors';

/** Opens a folder whose config was read. Throws a `ModelError` that names the field or tensor at fault. */
export function openPeft(host: Host, folder: string, json: Json, configPath: string): OpenedAdapter {
  const fields = configFields(json, configPath);
  const reader = PEFT_READERS.get(json['peft_type']);
  if (reader === undefined) {
    const types = [...PEFT_READERS.keys()];
    const supported = `${types.slice(0, -1).join(', ')} and ${types.at(-1)}`;
    return fields.fail('peft_type', `only ${supported} are supported`, OTHER_KIND);
  }
  refuseUnknown(fields, reader.known);
  const { base, open } = reader.parse(fields, () => readLabels(host, folder));
  const file = openWeights(host, folder);
  const { config, tensors } = open(file, configPath);
  checkTypes(tensors, file);
  const opened = { path: folder, base, config, tensors };
  return { ...opened, load: () => ({ ...opened, tensors: valuesOf(tensors, file) }) };
}

function openWeights(host: Host, folder: string): SafetensorsFile {
  const path = `${folder}/${PEFT_WEIGHTS}`;
  if (host.stat(path) !== undefined) return openSafetensors(host, path);
  throw invalid(
    folder,
    `The folder has no ${PEFT_WEIGHTS}.`,
    'Save the adapter with safe_serialization=True; pickled weights are not read, since they can run code.',
  );
}

/** How adapters of a kind are written. */
export const peftFiles =
  <K extends AdapterKind>(format: PeftFormat<K>): AdapterFiles<K> =>
  ({ config, tensors }, { base, licence }) => {
    const labels = labelsOf(config);
    const named = [...tensors].map(([name, { shape, data }]) =>
      f32Writable(format.nameInFile(name), shape, data),
    );
    return {
      'adapter_config.json': formatConfig(format.fields(config, base)),
      [PEFT_WEIGHTS]: { [Symbol.iterator]: () => safetensorsChunks(named) },
      ...(labels === undefined ? {} : { [LABELS]: formatLabels(labels) }),
      'README.md': modelCard(format.card(config), { base, licence, classifies: labels !== undefined }),
    };
  };

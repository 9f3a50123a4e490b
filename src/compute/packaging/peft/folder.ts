/** Folders of adapters as PEFT saves and loads them. */
import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import type { AdapterKind } from '../../models/adapters/config.js';
import { labelsOf } from '../../models/adapters/whole.js';
import { labelsIn } from '../../models/label-names.js';
import { labelFields } from '../../models/labels.js';
import { readJsonFile } from '../../models/read-file.js';
import { openSafetensors, type SafetensorsFile } from '../../models/safetensors/read.js';
import { f32Writable, safetensorsChunks } from '../../models/safetensors/write.js';
import { ModelError } from '../../models/types.js';
import type { AdapterFiles, OpenedAdapter } from '../adapter-folder.js';
import { modelCard } from '../model-card.js';
import { checkTypes, valuesOf } from '../tensor-values.js';
import {
  configFields,
  formatConfig,
  invalid,
  OTHER_KIND,
  type PeftFormat,
  type PeftReader,
  refuseUnknown,
} from './format.js';
import { headFormat, loraFormat } from './lora.js';
import { prefixFormat, promptFormat } from './virtual-tokens.js';

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
  ({ config, tensors }, { base, licence, prompt }) => {
    const labels = labelsOf(config);
    const named = [...tensors].map(([name, tensor]) =>
      f32Writable(format.nameInFile(name, config), tensor.shape, () => tensor.data),
    );
    return {
      'adapter_config.json': formatConfig(format.fields(config, base)),
      [PEFT_WEIGHTS]: { [Symbol.iterator]: () => safetensorsChunks(named) },
      ...(labels === undefined ? {} : { [LABELS_FILE]: formatLabels(labels) }),
      'README.md': modelCard(format.card(config), {
        base,
        licence,
        classifies: labels !== undefined,
        prompt,
      }),
    };
  };

export const PEFT_FORMATS = {
  lora: loraFormat,
  head: headFormat,
  prompt: promptFormat,
  prefix: prefixFormat,
} satisfies { readonly [K in AdapterKind]?: PeftFormat<K> };

/** By the `peft_type` of their files. */
const PEFT_READERS: ReadonlyMap<unknown, PeftReader> = new Map(
  Object.values(PEFT_FORMATS).flatMap(({ reader }: { readonly reader?: PeftReader }) =>
    reader === undefined ? [] : [[reader.type, reader]],
  ),
);

/** What the classes of a head are called, which PEFT does not say: the fields that transformers has in `config.json`. */
export const LABELS_FILE = 'labels.json';

const formatLabels = (labels: readonly string[]): string =>
  `${JSON.stringify(labelFields(labels), null, 2)}\n`;

/** Rows of the head in the folder's weights. */
function headRows(host: Host, folder: string): number | undefined {
  const { tensors } = openWeights(host, folder);
  const name = [...tensors.keys()].find((tensor) => /(?:^|\.)score\.weight$/.test(tensor));
  return name === undefined ? undefined : tensors.get(name)?.shape[0];
}

/** Throws a {@link ModelError} `adapter_invalid`. */
export function readLabels(host: Host, folder: string): readonly string[] {
  const path = `${folder}/${LABELS_FILE}`;
  const wrong = (at: string, detail: string): ModelError =>
    new ModelError(
      'adapter_invalid',
      at,
      detail,
      `Write \`{ "id2label": { "0": "first label", "1": "second label" } }\` into ${path}.`,
    );
  if (host.stat(path) === undefined) {
    // a reward model that PEFT saved has one score, which needs no name
    if (headRows(host, folder) === 1) return ['reward'];
    throw wrong(folder, `The adapter classifies (task_type SEQ_CLS), but its labels have no names.`);
  }
  const labels = labelsIn(readJsonFile(host, path, { code: 'adapter_invalid', maxBytes: 5_000_000 }));
  if (labels === undefined) throw wrong(path, '"id2label" does not give every number from 0 a unique name.');
  return labels;
}

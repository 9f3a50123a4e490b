import type { Host } from '../../../language/host/host.js';
import { readsBehindNorm } from '../../models/adapters/bottleneck.js';
import { adaptedConfig } from '../../models/adapters/classifier.js';
import { branchFor, isNamed } from '../../models/adapters/layout.js';
import { PREFIX_EMBEDDING } from '../../models/adapters/prefix.js';
import { PROMPT, virtualTokensOf } from '../../models/adapters/prompt.js';
import { adapterShapes, savableTensors } from '../../models/adapters/saved.js';
import { SCORE } from '../../models/architectures/index.js';
import { readJsonFile } from '../../models/json-file.js';
import type { TensorEntry } from '../../models/safetensors/header.js';
import { openSafetensors, type SafetensorsFile } from '../../models/safetensors/read.js';
import { type LoraConfig, type ModelConfig, ModelError } from '../../models/types.js';
import type { LoadedAdapter, OpenedAdapter } from '../adapter-folder.js';
import { isAdapterHub } from '../adapterhub/config-file.js';
import { openBottleneck } from '../adapterhub/folder.js';
import { checkTypes, valuesOf } from '../tensor-values.js';
import { AS_SAVED, OTHERWISE, parseAdapterConfig, withoutOldName } from './config-file.js';
import { readLabels } from './labels.js';
import { PREFIX } from './write.js';

/** The files of an adapter folder that say what it computes. */
export const ADAPTER_FILES = [
  'adapter_config.json',
  'adapter_model.safetensors',
  'adapter.safetensors',
] as const;
const [CONFIG, WEIGHTS] = ADAPTER_FILES;

const NAME = /^(.+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)$/;

/**
 * Opens an adapter that PEFT, AdapterHub's `adapters` or this program saved. Throws a {@link ModelError} `adapter_invalid` that names the
 * field or tensor at fault.
 */
export function openAdapter(host: Host, folder: string): OpenedAdapter {
  const configPath = `${folder}/${CONFIG}`;
  if (host.stat(configPath) === undefined) {
    throw new ModelError(
      'model_not_found',
      folder,
      `The folder does not exist or has no ${CONFIG}.`,
      'Give a folder that PEFT or AdapterHub saved.',
    );
  }
  const json = readJsonFile(host, configPath, { code: 'adapter_invalid', maxBytes: 5_000_000 });
  if (isAdapterHub(json)) return openBottleneck(host, folder, json, configPath);
  const parsed = parseAdapterConfig(json, configPath);
  const file = openWeights(host, folder);
  const { base, targets } = parsed;
  const lora = parsed.classifies ? { ...parsed.lora, labels: readLabels(host, folder) } : parsed.lora;
  if (virtualTokensOf(lora) > 0)
    return openVirtual(file, { path: folder, base, config: { ...lora, targets: [] } });
  const { tensors, modules } = namedTensors(file, { ...lora, targets: targets ?? [] });
  if (modules.length === 0 && lora.labels === undefined)
    throw invalid(configPath, 'The adapter has no tensors.');
  if (targets !== undefined) checkTargets(targets, modules, configPath);
  checkTypes(tensors, file);
  const config = { ...lora, targets: targets ?? modules };
  return {
    path: folder,
    base,
    config,
    tensors,
    load: () => ({ path: folder, base, config, tensors: valuesOf(tensors, file) }),
  };
}

/** A prompt and a prefix are the same tensor in PEFT's files. */
function openVirtual(
  file: SafetensorsFile,
  opened: Pick<OpenedAdapter, 'path' | 'base' | 'config'>,
): OpenedAdapter {
  const entry = file.tensors.get(PROMPT);
  const count = virtualTokensOf(opened.config);
  const [what, name] = opened.config.prefix === undefined ? ['prompt', PROMPT] : ['prefix', PREFIX_EMBEDDING];
  if (entry === undefined || file.tensors.size > 1)
    throw invalid(
      file.path,
      `A ${what} is one tensor "${PROMPT}"; the file has ${[...file.tensors.keys()].join(', ')}.`,
    );
  if (entry.shape.length !== 2 || entry.shape[0] !== count)
    throw invalid(
      file.path,
      `Tensor "${PROMPT}" has shape [${entry.shape.join(', ')}], which does not fit ${count} virtual tokens.`,
    );
  const tensors = new Map([[name, entry]]);
  checkTypes(tensors, file);
  return { ...opened, tensors, load: () => ({ ...opened, tensors: valuesOf(tensors, file) }) };
}

/** Opens and reads an adapter; throws as {@link openAdapter} does. */
export const readAdapter = (host: Host, folder: string): LoadedAdapter => openAdapter(host, folder).load();

function openWeights(host: Host, folder: string): SafetensorsFile {
  const path = `${folder}/${WEIGHTS}`;
  if (host.stat(path) !== undefined) return openSafetensors(host, path);
  throw new ModelError(
    'adapter_invalid',
    folder,
    `The folder has no ${WEIGHTS}.`,
    'Save the adapter with safe_serialization=True; pickled weights are not read, since they can run code.',
  );
}

/** The tensors by their names without the prefix, and the modules that they belong to. */
function namedTensors(
  file: SafetensorsFile,
  lora: LoraConfig,
): { tensors: ReadonlyMap<string, TensorEntry>; modules: readonly string[] } {
  const tensors = new Map<string, TensorEntry>();
  const modules = new Set<string>();
  for (const [fullName, entry] of file.tensors) {
    const name = fullName.startsWith(PREFIX) ? withoutOldName(fullName.slice(PREFIX.length)) : '';
    const [, module, part = ''] = NAME.exec(name) ?? [];
    const whole = name.replace(/\.weight$/, '');
    if (lora.modulesToSave?.some((saved) => isNamed(whole, saved)) || (lora.labels && whole === SCORE)) {
      tensors.set(name, entry);
      continue;
    }
    if (module === undefined) throw strayTensor(file.path, fullName, whole, lora);
    const { rank } = branchFor(lora, module);
    const { shape } = entry;
    const fits =
      part === 'lora_magnitude_vector'
        ? shape.length === 1 && lora.dora === true
        : shape.length === 2 && shape[part === 'lora_A.weight' ? 0 : 1] === rank;
    if (!fits) {
      throw invalid(
        file.path,
        `Tensor "${fullName}" has shape [${shape.join(', ')}], which does not fit rank ${rank}.`,
      );
    }
    modules.add(module);
    tensors.set(name, entry);
  }
  const parts = ['lora_A.weight', 'lora_B.weight', ...(lora.dora ? ['lora_magnitude_vector'] : [])];
  for (const module of modules)
    for (const part of parts)
      if (!tensors.has(`${module}.${part}`))
        throw invalid(file.path, `Tensor "${PREFIX}${module}.${part}" is missing.`);
  for (const saved of [...(lora.modulesToSave ?? []), ...(lora.labels === undefined ? [] : [SCORE])])
    if (![...tensors.keys()].some((name) => isNamed(name, `${saved}.weight`)))
      throw invalid(file.path, `"modules_to_save" names ${saved}, which has no tensor.`);
  return { tensors, modules: [...modules].sort() };
}

/** A tensor that is neither a factor nor saved whole: what was adapted or saved that is not read here. */
function strayTensor(path: string, fullName: string, whole: string, lora: LoraConfig): ModelError {
  const [, adapted] = ADAPTED.exec(whole) ?? [];
  if (adapted !== undefined)
    return invalid(path, `It adapts ${adapted}, and only the linear layers of blocks can be.`, OTHERWISE);
  // PEFT saves every module whose path ends so, be it within a name: "norm" is "input_layernorm" too
  const saved = lora.modulesToSave?.find(
    (name) => whole.endsWith(name) || `.${whole}.`.includes(`.${name}.`),
  );
  if (saved !== undefined)
    return invalid(
      path,
      `"modules_to_save" names ${saved}, and only embedding and head can be brought whole.`,
      OTHERWISE,
    );
  if (!/\.\d+\./.test(whole))
    return invalid(
      path,
      `Tensor "${fullName}" is outside of the blocks, and "modules_to_save" does not name it.`,
      'Save the adapter with save_embedding_layers=False, or train with what it needs in "modules_to_save".',
    );
  return invalid(path, `Tensor "${fullName}" is not a LoRA matrix of a linear layer.`);
}

/** PEFT saves an embedding or a head that has an adapter along with it. */
const ADAPTED = /^(.+)\.(?:base_layer|lora_embedding_[AB])$/;

/**
 * PEFT lists names, or whole paths after `all-linear`; one of them must end every module that has tensors. A name that no
 * layer of its base has is passed over in PEFT too; that layers which do have it have tensors, {@link checkAdapter} finds.
 */
function checkTargets(targets: readonly string[], modules: readonly string[], path: string): void {
  for (const module of modules)
    if (!targets.some((target) => isNamed(module, target)))
      throw invalid(path, `There are tensors for ${module}, which is not in "target_modules".`);
}

const invalid = (path: string, detail: string, help = AS_SAVED): ModelError =>
  new ModelError('adapter_invalid', path, detail, help);

/**
 * Checks that an adapter fits a base: every target in every layer, with the base's shapes, and nothing besides.
 * Throws a {@link ModelError} `adapter_mismatch` that names the tensor and both shapes.
 */
export function checkAdapter(
  adapter: Pick<OpenedAdapter, 'config' | 'tensors'> & Partial<Pick<OpenedAdapter, 'base'>>,
  base: ModelConfig,
  path: string,
): void {
  const config = adaptedConfig(base, adapter.config);
  const expected = new Map(
    adapterShapes(config, adapter.config).map(({ name, shape }): [string, readonly number[]] => [
      name,
      shape,
    ]),
  );
  const mismatch = (detail: string, help = 'Use the base that the adapter was trained on.'): ModelError =>
    new ModelError('adapter_mismatch', path, detail, help);
  const { bottleneck } = adapter.config;
  if (bottleneck !== undefined && readsBehindNorm(config, bottleneck))
    throw mismatch(
      'It reads the sum of the output of a sublayer and the hidden states, but this base has a norm between the two.',
    );
  const { prefixHeads = config.keyValueHeads } = adapter.base ?? {};
  if (prefixHeads !== config.keyValueHeads)
    throw mismatch(`The prefix is for ${prefixHeads} heads of keys; the base has ${config.keyValueHeads}.`);
  const savable = savableTensors(config).map(({ name }) => name.replace(/\.weight$/, ''));
  for (const module of adapter.config.modulesToSave ?? [])
    if (!savable.some((known) => isNamed(known, module)))
      throw mismatch(
        `"modules_to_save" names ${module}; of this base, only ${savable.join(' and ')} can be replaced as a whole.`,
        OTHERWISE,
      );
  for (const [name, shape] of expected) {
    const tensor = adapter.tensors.get(name);
    if (tensor === undefined)
      throw mismatch(
        `The base needs a tensor "${name}" of shape [${shape.join(', ')}], which the adapter lacks.`,
      );
    if (tensor.shape.join() !== shape.join()) {
      throw mismatch(
        `Tensor "${name}" has shape [${tensor.shape.join(', ')}]; the base needs [${shape.join(', ')}].`,
      );
    }
  }
  for (const name of adapter.tensors.keys()) {
    if (!expected.has(name))
      throw mismatch(`Tensor "${name}" belongs to a layer that the base does not have.`);
  }
}

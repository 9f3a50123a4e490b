import { adapterShapes, branchFor, isNamed } from '../../models/adapters/layout.js';
import { readJsonFile } from '../../models/json-file.js';
import { openSafetensors, type SafetensorsFile } from '../../models/safetensors/read.js';
import { type Adapter, type LoraConfig, type ModelConfig, ModelError } from '../../models/types.js';
import { elementCount } from '../../models/weights/sizes.js';
import { safetensorsTensor } from '../../models/weights/source.js';
import type { Host } from '../../source/host.js';
import { type AdapterBase, parseAdapterConfig } from './config-file.js';
import { PREFIX } from './write.js';

export interface LoadedAdapter extends Adapter {
  readonly path: string;
  readonly base: AdapterBase;
}

const NAME = /^(.+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)$/;

/**
 * Reads a LoRA adapter that PEFT or this program saved. Throws a {@link ModelError} `adapter_invalid` that names the
 * field or tensor at fault.
 */
export function readAdapter(host: Host, folder: string): LoadedAdapter {
  const configPath = `${folder}/adapter_config.json`;
  if (host.stat(configPath) === undefined) {
    throw new ModelError(
      'model_not_found',
      folder,
      'The folder does not exist or has no adapter_config.json.',
      'Name a PEFT adapter folder.',
    );
  }
  const parsed = parseAdapterConfig(
    readJsonFile(host, configPath, { code: 'adapter_invalid', maxBytes: 5_000_000 }),
    configPath,
  );
  const file = openWeights(host, folder);
  const { base, lora, targets } = parsed;
  const { tensors, modules } = readTensors(file, { ...lora, targets: targets ?? [] });
  if (modules.length === 0) throw invalid(configPath, 'The adapter has no tensors.');
  if (targets !== undefined) checkTargets(targets, modules, configPath);
  return { path: folder, base, config: { ...lora, targets: targets ?? modules }, tensors };
}

function openWeights(host: Host, folder: string): SafetensorsFile {
  const path = `${folder}/adapter_model.safetensors`;
  if (host.stat(path) !== undefined) return openSafetensors(host, path);
  throw new ModelError(
    'adapter_invalid',
    folder,
    'The folder has no adapter_model.safetensors.',
    'Save the adapter with safe_serialization=True; pickled weights are not read, since they can run code.',
  );
}

function readTensors(
  file: SafetensorsFile,
  lora: LoraConfig,
): { tensors: LoadedAdapter['tensors']; modules: readonly string[] } {
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  const modules = new Set<string>();
  for (const [fullName, entry] of file.tensors) {
    const name = fullName.startsWith(PREFIX) ? fullName.slice(PREFIX.length) : '';
    const [, module, part = ''] = NAME.exec(name) ?? [];
    if (module === undefined)
      throw invalid(file.path, `Tensor "${fullName}" is no LoRA matrix of a projection.`);
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
    tensors.set(name, { shape, data: safetensorsTensor({ entry, file }).read(0, elementCount(shape)) });
  }
  const parts = ['lora_A.weight', 'lora_B.weight', ...(lora.dora ? ['lora_magnitude_vector'] : [])];
  for (const module of modules)
    for (const part of parts)
      if (!tensors.has(`${module}.${part}`))
        throw invalid(file.path, `Tensor "${PREFIX}${module}.${part}" is missing.`);
  return { tensors, modules: [...modules].sort() };
}

/** PEFT lists names, or whole paths after `all-linear`; each must end a module that has tensors, and back. */
function checkTargets(targets: readonly string[], modules: readonly string[], path: string): void {
  for (const target of targets)
    if (!modules.some((module) => isNamed(module, target)))
      throw invalid(path, `"target_modules" names ${target}, which has no tensors.`);
  for (const module of modules)
    if (!targets.some((target) => isNamed(module, target)))
      throw invalid(path, `There are tensors for ${module}, which "target_modules" does not name.`);
}

function invalid(path: string, detail: string): ModelError {
  return new ModelError('adapter_invalid', path, detail, 'Use a plain LoRA adapter as PEFT saves it.');
}

/**
 * Checks that an adapter fits a base: every target in every layer, with the base's shapes, and nothing besides.
 * Throws a {@link ModelError} `adapter_mismatch` that names the tensor and both shapes.
 */
export function checkAdapter(adapter: Adapter, config: ModelConfig, path: string): void {
  const expected = new Map(
    adapterShapes(config, adapter.config).map(({ name, shape }): [string, readonly number[]] => [
      name,
      shape,
    ]),
  );
  const mismatch = (detail: string): ModelError =>
    new ModelError('adapter_mismatch', path, detail, 'Use the base that the adapter was trained on.');
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

import { isTarget, loraShapes, projectionsOfModel } from '../../models/architectures/index.js';
import { readJsonFile } from '../../models/json-file.js';
import { openSafetensors, type SafetensorsFile } from '../../models/safetensors/read.js';
import { type Adapter, type ModelConfig, ModelError } from '../../models/types.js';
import { elementCount } from '../../models/weights/sizes.js';
import { safetensorsTensor } from '../../models/weights/source.js';
import type { Host } from '../../source/host.js';
import { type AdapterBase, type ParsedConfig, parseAdapterConfig } from './config-file.js';
import { PREFIX } from './write.js';

export interface LoadedAdapter extends Adapter {
  readonly path: string;
  readonly base: AdapterBase;
}

const NAME = /^.+\.(\w+)\.lora_([AB])\.weight$/;

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
  const { tensors, targets } = readTensors(file, parsed.rank);
  checkTargets(parsed, targets, configPath);
  const { rank, alpha, dropout, base } = parsed;
  return { path: folder, base, config: { rank, alpha, dropout, targets }, tensors };
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
  rank: number,
): { tensors: LoadedAdapter['tensors']; targets: readonly string[] } {
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  const found = new Set<string>();
  for (const [fullName, entry] of file.tensors) {
    const name = fullName.startsWith(PREFIX) ? fullName.slice(PREFIX.length) : '';
    const [, target, side] = NAME.exec(name) ?? [];
    if (target === undefined)
      throw invalid(file.path, `Tensor "${fullName}" is no LoRA matrix of a projection.`);
    const { shape } = entry;
    if (shape.length !== 2 || shape[side === 'A' ? 0 : 1] !== rank) {
      throw invalid(
        file.path,
        `Tensor "${fullName}" has shape [${shape.join(', ')}], which does not fit rank ${rank}.`,
      );
    }
    found.add(target);
    tensors.set(name, {
      shape,
      data: safetensorsTensor({ entry, file }).read(0, elementCount(shape)),
    });
  }
  for (const name of tensors.keys()) {
    const other = name.includes('.lora_A.')
      ? name.replace('.lora_A.', '.lora_B.')
      : name.replace('.lora_B.', '.lora_A.');
    if (!tensors.has(other)) throw invalid(file.path, `Tensor "${PREFIX}${other}" is missing.`);
  }
  return { tensors, targets: [...found].sort() };
}

/** PEFT lists names, or whole paths after `all-linear`; each must end in a projection that has tensors, and back. */
function checkTargets({ targets }: ParsedConfig, found: readonly string[], path: string): void {
  if (found.length === 0) throw invalid(path, 'The adapter has no tensors.');
  if (targets === undefined) return;
  const named = new Set(targets.map((target) => target.slice(target.lastIndexOf('.') + 1)));
  for (const target of named) {
    if (!found.includes(target))
      throw invalid(path, `"target_modules" names ${target}, which has no tensors.`);
  }
  for (const projection of found) {
    if (!named.has(projection))
      throw invalid(path, `There are tensors for ${projection}, which "target_modules" does not name.`);
  }
}

function invalid(path: string, detail: string): ModelError {
  return new ModelError('adapter_invalid', path, detail, 'Use a plain LoRA adapter as PEFT saves it.');
}

/**
 * Checks that an adapter fits a base: every target in every layer, with the base's shapes, and nothing besides.
 * Throws a {@link ModelError} `adapter_mismatch` that names the tensor and both shapes.
 */
export function checkAdapter(adapter: Adapter, config: ModelConfig, path: string): void {
  const expected = new Map<string, readonly number[]>();
  for (const projection of projectionsOfModel(config)) {
    if (!isTarget(adapter.config, projection)) continue;
    for (const { name, shape } of loraShapes(adapter.config, { ...projection, module: projection.path }))
      expected.set(name, shape);
  }
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

/** Biases of the base that an adapter trains: PEFT's `bias`. */
import {
  type BlockBlueprint,
  biasName,
  blockTensors,
  expectedTensors,
  type NamedShape,
  projectionsOf,
} from '../architectures/index.js';
import { foreignTensors } from '../foreign.js';
import type { ModelConfig } from '../types.js';
import { adaptedProjections, branchAt } from './branches.js';
import type { AdapterConfig, LoraConfig } from './config.js';
import { headFactorNames } from './outer.js';
import { wholeTensor } from './whole.js';

/** A bias is a vector; masks of attention have been saved under the name, too. */
const isBias = ({ name, shape }: NamedShape): boolean => name.endsWith('.bias') && shape.length === 1;

/** Every bias of a model, of linear layers and of norms, by its full name. */
export const biasesOf = (model: ModelConfig): readonly NamedShape[] =>
  (model.foreign === undefined ? expectedTensors(model) : foreignTensors(model.foreign))
    .filter(isBias)
    .map(({ name, shape }) => ({ name, shape }));

/** Those that are trained with the factors: all of them, or those of the linear layers that have factors. */
export function trainedBiases(model: ModelConfig, adapter: AdapterConfig | undefined): readonly NamedShape[] {
  if (adapter?.kind !== 'lora' || adapter.bias === undefined) return [];
  const all = biasesOf(model);
  if (adapter.bias === 'all') return all;
  const adapted = new Set(adaptedProjections(model, adapter).map(({ path }) => biasName({ module: path })));
  return all.filter(({ name }) => adapted.has(name));
}

/** The same within a block, by their names in it; `path` gives full names. */
export function biasesInBlock(
  adapter: LoraConfig,
  { block, layer, path }: { block: BlockBlueprint; layer: number; path(name: string): string },
): readonly string[] {
  if (adapter.bias === undefined) return [];
  if (adapter.bias === 'all')
    return blockTensors(block, 1).flatMap(({ name, role }) => (role === 'bias' ? [name] : []));
  return projectionsOf(block)
    .filter(({ bias, module }) => bias && branchAt(adapter, path(module), layer) !== undefined)
    .map(biasName);
}

/** Whether anything that the head reads is trained: its matrix, factors over it, or the bias of the norm before it. */
export function trainsHead(model: ModelConfig, adapter: AdapterConfig | undefined): boolean {
  if (wholeTensor(model, adapter, 'head') !== undefined) return true;
  if (headFactorNames(model, adapter).length > 0) return true;
  return trainedBiases(model, adapter).some(({ name }) => !IN_BLOCK.test(name));
}

const IN_BLOCK = /\.\d+\./;

/** Whether a tensor is the bias of a linear layer that has factors: PEFT keeps that within the layer, as that of its base. */
export function isBesideFactors(name: string, adapter: AdapterConfig): boolean {
  if (adapter.kind !== 'lora' || adapter.bias === undefined || !name.endsWith('.bias')) return false;
  const [, layer] = /\.(\d+)\./.exec(name) ?? [];
  return layer !== undefined && branchAt(adapter, name.replace(/\.bias$/, ''), Number(layer)) !== undefined;
}

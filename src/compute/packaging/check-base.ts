import { downName, isNamed, upName } from '../models/adapters/branches.js';
import { adapterShapes, misfit } from '../models/adapters/kinds.js';
import { adaptedConfig, modulesToSave, savableTensors } from '../models/adapters/whole.js';
import { weightName } from '../models/architectures/index.js';
import { foreignLinears, foreignTensors } from '../models/foreign.js';
import { moduleNames } from '../models/module-names.js';
import { type ForeignModel, type ModelConfig, ModelError } from '../models/types.js';
import type { OpenedAdapter } from './adapter-folder.js';
import { OTHERWISE } from './peft/format.js';

const OTHER_BASE = 'Use the base that the adapter was trained on.';
const WITH_TOKENS = 'Use the base that the adapter was trained on, with the `special_tokens` that it got.';

const isLonger = (
  [rows = 0, width]: readonly number[],
  [other = 0, otherWidth]: readonly number[],
): boolean => rows > other && width === otherWidth;

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
  const mismatch = (detail: string, help = OTHER_BASE): ModelError =>
    new ModelError('adapter_mismatch', path, detail, help);
  const wrong = misfit(config, adapter.config);
  if (wrong !== undefined) throw mismatch(wrong);
  const { prefixHeads = config.keyValueHeads } = adapter.base ?? {};
  if (prefixHeads !== config.keyValueHeads)
    throw mismatch(`The prefix is for ${prefixHeads} heads of keys; the base has ${config.keyValueHeads}.`);
  const savable = savableTensors(config).map(({ name }) => name.replace(/\.weight$/, ''));
  for (const module of modulesToSave(adapter.config))
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
        isLonger(tensor.shape, shape) && savable.includes(name.replace(/\.weight$/, ''))
          ? WITH_TOKENS
          : undefined,
      );
    }
  }
  for (const name of adapter.tensors.keys()) {
    if (!expected.has(name))
      throw mismatch(`Tensor "${name}" belongs to a layer that the base does not have.`);
  }
}

/**
 * Finds what the linear layers of a base of another architecture certainly do not take: factors of other shapes, or for none of
 * them. Everything else is up to the base's files, and to PEFT. Throws a {@link ModelError} `adapter_mismatch`.
 */
export function checkOverForeign(
  { config, tensors }: Pick<OpenedAdapter, 'config' | 'tensors'>,
  foreign: ForeignModel,
  path: string,
): void {
  const nameOf = moduleNames(tensors.keys());
  const linears = new Map(
    foreignLinears(foreign).map((layer) => [weightName({ module: layer.path }), layer]),
  );
  const all = new Set(foreignTensors(foreign).map(({ name }) => name));
  const adapted = [...tensors.keys()].flatMap((name) => {
    const module = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    return module === undefined ? [] : [{ module, weight: nameOf(weightName({ module })) }];
  });
  for (const { module, weight } of adapted) {
    const layer = linears.get(weight);
    const [inputs, outputs] = [
      tensors.get(downName(module))?.shape[1],
      tensors.get(upName(module))?.shape[0],
    ];
    const fits = (rows?: number, columns?: number): boolean => rows === outputs && columns === inputs;
    if (layer === undefined || fits(layer.outputs, layer.inputs) || fits(layer.inputs, layer.outputs))
      continue;
    throw new ModelError(
      'adapter_mismatch',
      path,
      `Its factors for ${module} are for ${inputs} inputs and ${outputs} outputs; the base has ${layer.inputs} and ${layer.outputs} there.`,
      OTHER_BASE,
    );
  }
  // heads may be tied, and experts are parameters
  const [first] = adapted.filter(({ module }) => !/(?:^|\.)lm_head$/.test(module));
  const hasParameters = config.kind === 'lora' && (config.parameters ?? []).length > 0;
  if (first === undefined || hasParameters || adapted.some(({ weight }) => all.has(weight))) return;
  throw new ModelError(
    'adapter_mismatch',
    path,
    `The base has none of the layers that it changes, such as ${first.module}.`,
    OTHER_BASE,
  );
}

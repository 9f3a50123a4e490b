/** Embedding and head that an adapter brings whole: PEFT's `modules_to_save`. */
import { sizeOf } from '../../tensor/shape.js';
import { HEAD } from '../architectures/graphs/head.js';
import { blueprintOf, type NamedShape, SCORE, weightName } from '../architectures/index.js';
import { DEVIATION } from '../initialise.js';
import { sameLabels } from '../labels.js';
import { fillNormal } from '../philox.js';
import type { AdapterTensors, ModelConfig, WeightStore } from '../types.js';
import { isNamed } from './branches.js';
import type { AdapterConfig } from './config.js';
import { type AdapterDefinition, needed } from './definition.js';

const classifiers = new WeakMap<ModelConfig, Map<string, ModelConfig>>();

/** The labels that an adapter brings a head for. */
export const labelsOf = (adapter: AdapterConfig | undefined): readonly string[] | undefined =>
  adapter !== undefined && 'labels' in adapter ? adapter.labels : undefined;

/** The config of a base with an adapter: that of a classifier where the adapter brings labels. */
export function adaptedConfig(config: ModelConfig, adapter: AdapterConfig | undefined): ModelConfig {
  const labels = labelsOf(adapter);
  if (labels === undefined || labels === config.labels) return config;
  // what follows from a config is kept by its identity
  const known = classifiers.get(config) ?? new Map<string, ModelConfig>();
  classifiers.set(config, known);
  const key = JSON.stringify(labels);
  const made = known.get(key) ?? { ...config, labels };
  known.set(key, made);
  return made;
}

/**
 * Name of the tensor of a base that is not read once there are labels: its head over the vocabulary, where that is not
 * its embedding.
 */
export function unreadHead(config: ModelConfig, adapter: AdapterConfig | undefined): string | undefined {
  if (labelsOf(adapter) === undefined || config.labels !== undefined) return undefined;
  const { embedding, head } = blueprintOf(config);
  return head.output.name === embedding.name ? undefined : head.output.name;
}

export type WholeRole = 'embedding' | 'head';

/** A tensor of an adapter that is in the place of one of the base. */
interface WholeTensor extends NamedShape {
  readonly role: WholeRole;
  /** The last part of its module's path. */
  readonly module: string;
}

/** What of a model may be trained so. The two are copies of their own even where the base ties them, as in PEFT. */
export function savableTensors(config: ModelConfig): readonly WholeTensor[] {
  const { embedding, head } = blueprintOf(config);
  const module = config.labels === undefined ? HEAD : SCORE;
  const path = embedding.name.replace(/\.weight$/, '');
  return [
    { ...embedding, role: 'embedding', module: path.slice(path.lastIndexOf('.') + 1) },
    { name: weightName({ module }), shape: head.output.shape, role: 'head', module },
  ];
}

export const modulesToSave = (adapter: AdapterConfig | undefined): readonly string[] =>
  (adapter !== undefined && 'modulesToSave' in adapter && adapter.modulesToSave) || [];

/** The head over an adapter's labels is always among them. */
export const wholeTensors = (
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
): readonly WholeTensor[] =>
  savableTensors(adaptedConfig(config, adapter)).filter(
    ({ name, role }) =>
      (role === 'head' && labelsOf(adapter) !== undefined) ||
      modulesToSave(adapter).some((module) => isNamed(name.replace(/\.weight$/, ''), module)),
  );

export const wholeTensor = (
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  role: WholeRole,
): WholeTensor | undefined => wholeTensors(config, adapter).find((whole) => whole.role === role);

export const wholeShapes = (config: ModelConfig, adapter: AdapterConfig): readonly NamedShape[] =>
  wholeTensors(config, adapter).map(({ name, shape }) => ({ name, shape }));

/** Copies of the base's, but a new head over labels is normal with a deviation of 0.02, as in transformers. */
export function initWhole(
  config: ModelConfig,
  adapter: AdapterConfig,
  { seed, weights }: { readonly seed: number; readonly weights?: WeightStore },
): AdapterTensors {
  const { embedding, head } = blueprintOf(adaptedConfig(config, adapter));
  const labels = labelsOf(adapter);
  const tensors = wholeTensors(config, adapter).map(({ role, name, shape }) => {
    const data = new Float32Array(sizeOf(shape));
    const from = (role === 'head' ? head.output : embedding).name;
    // only a classifier of the same labels has a head to begin with
    if (role === 'head' && labels !== undefined && !sameLabels(config.labels, labels))
      fillNormal(data, seed, name, DEVIATION);
    else needed(weights, 'what is trained whole').get(from).dequantise(data);
    return [name, { shape, data }] as const;
  });
  return new Map(tensors);
}

export const head: AdapterDefinition<'head'> = { shapes: wholeShapes, init: initWhole };

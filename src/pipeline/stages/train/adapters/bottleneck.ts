/** Bottleneck adapters of a train stage. Their variants and defaults are those of AdapterHub's configs. */
import { BOTTLENECK_PLACES, readsAcrossNorm } from '../../../../compute/models/adapters/bottleneck.js';
import type { BottleneckConfig } from '../../../../compute/models/adapters/config.js';
import type { AdapterInits } from '../../../../compute/models/adapters/definition.js';
import type { ModelConfig } from '../../../../compute/models/types.js';
import {
  bottleneckMerged,
  bottleneckWithout,
  layerUnknown,
  reductionTooHigh,
  startWithout,
  sumAfterNorm,
} from '../../../../language/diagnostics/catalogue/adapters.js';
import type { Diagnostic } from '../../../../language/diagnostics/types.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import { type AdapterCase, factorSettings, NO_FACTORS, type StageAdapter } from './definition.js';

type BottleneckSettings = NonNullable<TrainSettings['adapter']>;

interface BottleneckVariant extends Omit<BottleneckConfig, 'kind' | 'dropout' | 'leaveOut'> {
  readonly init: AdapterInits['bottleneck'];
}

const VARIANTS: Readonly<Record<BottleneckSettings['kind'], BottleneckVariant>> = {
  /** `DoubleSeqBnConfig` */
  houlsby: {
    places: ['attention', 'mlp'],
    reduction: 16,
    activation: 'silu',
    reads: 'output',
    scale: 1,
    init: 'bert',
  },
  /** `SeqBnConfig` */
  pfeiffer: { places: ['mlp'], reduction: 16, activation: 'relu', reads: 'sum', scale: 1, init: 'bert' },
  /** `ParBnConfig` */
  parallel: {
    places: ['mlp'],
    reduction: 2,
    activation: 'relu',
    reads: 'stream',
    scale: 4,
    init: 'mam_adapter',
  },
};

export const bottleneck: StageAdapter<'bottleneck'> = {
  setting: 'adapter',
  config({ adapter }, model) {
    if (adapter === undefined) throw new TypeError('the stage trains no bottleneck adapters');
    const variant = VARIANTS[adapter.kind];
    const places = adapter.where ?? variant.places;
    const leaveOut = adapter.layers === undefined ? [] : otherLayers(adapter.layers, model);
    return {
      kind: 'bottleneck',
      reduction: adapter.reduction ?? variant.reduction,
      places: BOTTLENECK_PLACES.filter((place) => places.includes(place)),
      activation: adapter.activation ?? variant.activation,
      reads: variant.reads,
      scale: adapter.scaling ?? variant.scale,
      dropout: adapter.dropout,
      ...(leaveOut.length === 0 ? {} : { leaveOut }),
    };
  },
  init: ({ adapter }) => adapter && (adapter.init ?? VARIANTS[adapter.kind].init),
  contradictions,
  problems,
  fields: ({ reduction, places, activation, reads, scale, dropout, leaveOut }, model) => ({
    kind: Object.entries(VARIANTS).find(([, variant]) => variant.reads === reads)?.[0],
    reduction,
    where: places,
    activation,
    scaling: scale,
    dropout,
    layers: leaveOut && otherLayers(leaveOut, model),
  }),
  agrees: {
    where: ({ adapter }, taken) => [...(adapter?.where ?? [])].sort().join() === taken.places.join(),
  },
  unmergeable: bottleneckMerged,
};

const otherLayers = (layers: readonly number[], model: ModelConfig): readonly number[] =>
  Array.from({ length: model.layers }, (_, layer) => layer).filter((layer) => !layers.includes(layer));

function contradictions({ stage, start, at }: AdapterCase): readonly Diagnostic[] {
  if (start !== undefined && start.opened.config.kind !== 'bottleneck')
    return [startWithout(at('adapter'), 'adapter', 'the adapter to continue from has no bottlenecks')];
  const { optimizer } = settingsOf(stage, 'train');
  return [
    ...(stage.preset === 'full' && start === undefined
      ? [bottleneckWithout(at('adapter'), 'using full', 'it trains every weight')]
      : []),
    ...factorSettings(stage).map((path) => bottleneckWithout(at(path), path, NO_FACTORS)),
    ...(Number(optimizer.args['loraplus_ratio'] ?? 1) === 1
      ? []
      : [bottleneckWithout(at('optimizer.loraplus_ratio'), 'loraplus_ratio', NO_FACTORS)]),
  ];
}

/** An adapter that a stage continues from fits its base, or was refused. */
function problems(
  { stage, start, model, at }: AdapterCase,
  adapter: BottleneckConfig,
): readonly Diagnostic[] {
  if (start !== undefined) return [];
  const { layers = [] } = settingsOf(stage, 'train').adapter ?? {};
  return [
    ...layers.flatMap((layer, index) =>
      layer < model.layers ? [] : [layerUnknown(at(`adapter.layers.${index}`), layer, model.layers)],
    ),
    ...(adapter.reduction > model.hiddenSize
      ? [reductionTooHigh(at('adapter.reduction'), adapter.reduction, model.hiddenSize)]
      : []),
    ...(readsAcrossNorm(model, adapter) ? [sumAfterNorm(at('adapter.kind'), model.architecture)] : []),
  ];
}

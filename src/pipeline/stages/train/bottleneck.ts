/** Bottleneck adapters of a train stage. Kinds and their defaults are those of AdapterHub's configs. */

import {
  BOTTLENECK_PLACES,
  type BottleneckInit,
  bottleneckConfig,
} from '../../../compute/models/adapters/bottleneck.js';
import type { BottleneckConfig, LoraConfig, ModelConfig } from '../../../compute/models/types.js';
import type { Value } from '../../../language/ir/types.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';

export type BottleneckSettings = NonNullable<TrainSettings['adapter']>;

interface Kind extends Omit<BottleneckConfig, 'leaveOut'> {
  readonly init: BottleneckInit;
}

const KINDS: Readonly<Record<BottleneckSettings['kind'], Kind>> = {
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

/** The adapters over this base. */
export function bottleneckOf(settings: BottleneckSettings, { layers: count }: ModelConfig): LoraConfig {
  const kind = KINDS[settings.kind];
  const { layers } = settings;
  const places = settings.where ?? kind.places;
  const leaveOut =
    layers === undefined
      ? []
      : Array.from({ length: count }, (_, layer) => layer).filter((layer) => !layers.includes(layer));
  return bottleneckConfig(
    {
      reduction: settings.reduction ?? kind.reduction,
      places: BOTTLENECK_PLACES.filter((place) => places.includes(place)),
      activation: settings.activation ?? kind.activation,
      reads: kind.reads,
      scale: settings.scaling ?? kind.scale,
      ...(leaveOut.length === 0 ? {} : { leaveOut }),
    },
    settings.dropout,
  );
}

export const bottleneckInit = ({ kind, init }: BottleneckSettings): BottleneckInit =>
  init ?? KINDS[kind].init;

/** What adapters are, by the settings that it stands for. */
export function bottleneckFields(
  { reduction, places, activation, reads, scale, leaveOut }: BottleneckConfig,
  { layers }: ModelConfig,
): Readonly<Record<string, Value | undefined>> {
  return {
    kind: Object.entries(KINDS).find(([, kind]) => kind.reads === reads)?.[0],
    reduction,
    where: places,
    activation,
    scaling: scale,
    layers:
      leaveOut === undefined
        ? undefined
        : Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !leaveOut.includes(layer)),
  };
}

/** Rotary positions in `config.json`: `rope_theta` and `rope_scaling` of transformers 4, `rope_parameters` of 5. */

import { isJson, type Json } from '../../../language/host/json.js';
import type { RopeScaling } from '../architectures/blueprint.js';
import type { ModelConfig } from '../types.js';
import { ConfigReader } from './reader.js';

interface RopeDefaults {
  readonly theta: number;
  readonly share: number;
  /** Names of the two fields in transformers 4. */
  readonly thetaField: string;
  readonly shareField: string;
  /** Whether the family turns a part of each head; transformers passes over the field if it does not. */
  readonly partial: boolean;
  /** What kinds of scaling the family reads as others. */
  readonly aliases?: Readonly<Record<string, string>>;
}

export const PLAIN: RopeDefaults = {
  theta: 10_000,
  share: 1,
  thetaField: 'rope_theta',
  shareField: 'partial_rotary_factor',
  partial: false,
};

type Rope = Pick<ModelConfig, 'ropeTheta' | 'ropeShare' | 'ropeScaling'>;

/** `half` is how many frequencies a whole head has. */
export function readRope(config: ConfigReader, half: number, defaults: RopeDefaults = PLAIN): Rope {
  // where a file has both, transformers takes the older one
  const field = config.has('rope_scaling') ? 'rope_scaling' : 'rope_parameters';
  const rope = config.record(field) ?? {};
  const theta = rope['rope_theta'] ?? config.json[defaults.thetaField] ?? defaults.theta;
  const share = config.asPositive(
    defaults.shareField,
    rope['partial_rotary_factor'] ?? config.json[defaults.shareField] ?? defaults.share,
  );
  if (share > 1) config.wrong(defaults.shareField, 'at most 1', share);
  const type = typeOf(rope, defaults);
  if (!defaults.partial && share !== 1 && type !== 'default')
    config.unsupported(defaults.shareField, 'it must be 1 with a rope_type', share);
  const turned = defaults.partial ? share : 1;
  const ropeTheta = config.asPositive(defaults.thetaField, theta);
  if (typeof type !== 'string' || !Object.hasOwn(SCALINGS, type))
    return config.unsupported(field, `rope_type may be ${Object.keys(SCALINGS).join(', ')}`);
  const reader = new ConfigReader(rope, config.path);
  const ropeScaling = SCALINGS[type]?.(reader, config, Math.floor(half * turned));
  return {
    ropeTheta,
    ...(turned === 1 ? {} : { ropeShare: turned }),
    ...(ropeScaling === undefined ? {} : { ropeScaling }),
  };
}

/** `rope_type`, which older files call `type`. */
function typeOf(rope: Json, { aliases }: RopeDefaults): unknown {
  const type = rope['rope_type'] ?? rope['type'] ?? 'default';
  return (typeof type === 'string' ? aliases?.[type] : undefined) ?? type;
}

type Read = (reader: ConfigReader, config: ConfigReader, frequencies: number) => RopeScaling | undefined;

const positionsOf = (config: ConfigReader): number => config.whole('max_position_embeddings', 2048);

/** Positions of the first training: a value next to the RoPE parameters takes precedence over one among them. */
const originalOf = (rope: ConfigReader, config: ConfigReader): number =>
  config.has(ORIGINAL) ? config.whole(ORIGINAL) : rope.whole(ORIGINAL, positionsOf(config));

const ORIGINAL = 'original_max_position_embeddings';

const LONG: Read = (rope, config, frequencies) => {
  const original = originalOf(rope, config);
  const factor = rope.positive('factor', positionsOf(config) / original);
  return {
    type: 'longrope',
    short: divisors(rope, 'short_factor', frequencies),
    long: divisors(rope, 'long_factor', frequencies),
    originalPositions: original,
    attentionFactor: rope.positive(
      'attention_factor',
      factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original)),
    ),
  };
};

const YARN: Read = (rope, config) => {
  const factor = rope.positive('factor', Number.NaN);
  const grown = (weight: number): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const [weight, all] = [rope.optional('mscale'), rope.optional('mscale_all_dim')];
  const usual = weight === undefined || all === undefined ? grown(1) : grown(weight) / grown(all);
  return {
    type: 'yarn',
    factor,
    originalPositions: originalOf(rope, config),
    attentionFactor: rope.positive('attention_factor', usual),
    betaFast: rope.positive('beta_fast', 32),
    betaSlow: rope.positive('beta_slow', 1),
    truncate: rope.flag('truncate', true),
  };
};

/** By `rope_type`. */
const SCALINGS: Readonly<Record<string, Read>> = {
  default: () => undefined,
  // changes beyond `max_position_embeddings` only, where nothing is computed
  dynamic: () => undefined,
  linear: (rope) => ({ type: 'linear', factor: rope.positive('factor', Number.NaN) }),
  llama3: (rope, config) => {
    const lowFactor = rope.positive('low_freq_factor', Number.NaN);
    const highFactor = rope.positive('high_freq_factor', Number.NaN);
    if (highFactor <= lowFactor) rope.wrong('high_freq_factor', `more than low_freq_factor (${lowFactor})`);
    return {
      type: 'llama3',
      factor: rope.positive('factor', Number.NaN),
      lowFactor,
      highFactor,
      originalPositions: originalOf(rope, config),
    };
  },
  yarn: YARN,
  longrope: LONG,
};

function divisors(rope: ConfigReader, field: string, count: number): readonly number[] {
  const found = rope.list(field) ?? rope.wrong(field, 'a list of numbers');
  if (found.length !== count) rope.wrong(field, `a list of ${count} numbers`);
  return found.map((value) => rope.asPositive(field, value));
}

/** `rope_parameters` of a model whose kinds of layers have their own: those of one kind as a config of its own. */
export function ropeOfKind(config: ConfigReader, kind: string): ConfigReader | undefined {
  const all = config.record('rope_parameters');
  const own = all?.[kind];
  if (!isJson(own)) return undefined;
  const { rope_scaling: older, ...others } = config.json;
  const added = kind === 'full_attention' && isJson(older) ? older : {};
  return new ConfigReader({ ...others, rope_parameters: { ...own, ...added } }, config.path);
}

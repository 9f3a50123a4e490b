/** Rotary positions in `config.json`: `rope_theta` and `rope_scaling` of transformers 4, `rope_parameters` of 5. */
import type { RopeScaling } from '../architectures/blueprint.js';
import { isJson, type Json } from '../json-file.js';
import { ConfigReader } from './reader.js';

export interface Rope {
  readonly theta: number;
  readonly scaling?: RopeScaling;
  /** Part of every head that is turned. */
  readonly share: number;
}

export interface RopeDefaults {
  readonly theta: number;
  readonly share: number;
  /** Names of the two fields in transformers 4. */
  readonly thetaField: string;
  readonly shareField: string;
}

export const PLAIN: RopeDefaults = {
  theta: 10_000,
  share: 1,
  thetaField: 'rope_theta',
  shareField: 'partial_rotary_factor',
};

/** `half` is how many frequencies a whole head has. */
export function readRope(config: ConfigReader, half: number, defaults: RopeDefaults = PLAIN): Rope {
  const field = config.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  const rope = config.record(field) ?? {};
  const theta = rope['rope_theta'] ?? config.json[defaults.thetaField] ?? defaults.theta;
  const share = config.asPositive(
    defaults.shareField,
    rope['partial_rotary_factor'] ?? config.json[defaults.shareField] ?? defaults.share,
  );
  if (share > 1) config.wrong(defaults.shareField, 'at most 1', share);
  return {
    theta: config.asPositive(defaults.thetaField, theta),
    share,
    scaling: readScaling(config, field, rope, Math.floor(half * share)),
  };
}

type Read = (reader: ConfigReader, config: ConfigReader, frequencies: number) => RopeScaling | undefined;

const LONG: Read = (rope, config, frequencies) => {
  const positions = config.whole('max_position_embeddings', 2048);
  const original = config.has('original_max_position_embeddings')
    ? config.whole('original_max_position_embeddings')
    : rope.whole('original_max_position_embeddings', positions);
  const factor =
    rope.has('original_max_position_embeddings') || config.has('original_max_position_embeddings')
      ? positions / original
      : rope.positive('factor', 1);
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

/** By `rope_type`, which older files call `type`. */
const SCALINGS: Readonly<Record<string, Read>> = {
  default: () => undefined,
  linear: (rope) => ({ type: 'linear', factor: rope.positive('factor', Number.NaN) }),
  llama3: (rope) => ({
    type: 'llama3',
    factor: rope.positive('factor', Number.NaN),
    lowFactor: rope.positive('low_freq_factor', Number.NaN),
    highFactor: rope.positive('high_freq_factor', Number.NaN),
    originalPositions: rope.whole('original_max_position_embeddings'),
  }),
  longrope: LONG,
  su: LONG,
};

function readScaling(
  config: ConfigReader,
  field: string,
  rope: Json,
  frequencies: number,
): RopeScaling | undefined {
  const type = rope['rope_type'] ?? rope['type'] ?? 'default';
  if (typeof type !== 'string' || !Object.hasOwn(SCALINGS, type))
    return config.unsupported(field, `rope_type may be ${Object.keys(SCALINGS).join(', ')}`);
  return SCALINGS[type]?.(new ConfigReader(rope, config.path), config, frequencies);
}

function divisors(rope: ConfigReader, field: string, count: number): readonly number[] {
  const found = rope.list(field) ?? rope.wrong(field, 'a list of numbers');
  if (found.length !== count) rope.wrong(field, `a list of ${count} numbers`);
  return found.map((value) => rope.asPositive(field, value));
}

/** `rope_parameters` of a model whose kinds of layers have their own: those of one kind as a config of its own. */
export function ropeOfKind(config: ConfigReader, kind: string): ConfigReader | undefined {
  const all = config.record('rope_parameters');
  const own = all?.[kind];
  return isJson(own) ? new ConfigReader({ ...config.json, rope_parameters: own }, config.path) : undefined;
}

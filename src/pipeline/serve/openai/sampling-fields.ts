/** Fields that chat completions and completions share: how an answer is drawn and where it ends. */
import * as v from 'valibot';
import type { CompletionRequest } from '../../../compute/serving/types.js';
import { anyObject, that } from '../../../language/host/json.js';
import { badField } from './api-error.js';
import { type FieldsOf, noEffect, used } from './fields.js';

const between = (least: number, most: number) =>
  that(
    (value): value is number => typeof value === 'number' && value >= least && value <= most,
    `a number from ${least} to ${most}`,
  );
export const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  that(
    (value): value is number =>
      Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`,
  );

/** Stop texts of one request, and characters of each, at most. */
const STOPS = { most: 16, characters: 1000 } as const;

const stopText = that(
  (value): value is string => typeof value === 'string' && value !== '' && value.length <= STOPS.characters,
  `a text of 1 to ${STOPS.characters} characters`,
);
const stops = that(
  (value): value is string | readonly string[] =>
    Array.isArray(value)
      ? value.length <= STOPS.most && value.every((each) => v.is(stopText, each))
      : v.is(stopText, value),
  `a text of 1 to ${STOPS.characters} characters, or a list of at most ${STOPS.most} of these`,
);

const bias = that(
  (value): value is Readonly<Record<string, number>> =>
    v.is(anyObject, value) &&
    Object.entries(value).every(
      ([id, each]) => /^\d{1,9}$/.test(id) && typeof each === 'number' && Math.abs(each) <= 100,
    ),
  'an object from token ids to numbers from -100 to 100',
);

/** Answers to one prompt, at most. */
const MOST_ANSWERS = 128;

export const SAMPLING_FIELDS = {
  model: used(v.string()),
  temperature: used(between(0, 2)),
  top_p: used(between(0, 1)),
  top_k: used(
    that(
      (value): value is number => Number.isSafeInteger(value) && Number(value) >= -1,
      'a whole number of at least 1, or 0 or -1 for all tokens',
    ),
  ),
  min_p: used(between(0, 1)),
  presence_penalty: used(between(-2, 2)),
  frequency_penalty: used(between(-2, 2)),
  repetition_penalty: used(between(0.01, 100)),
  logit_bias: used(bias),
  seed: used(that((value): value is number => Number.isSafeInteger(value), 'a whole number')),
  stop: used(stops),
  n: used(whole(1, MOST_ANSWERS)),
  stream: used(v.boolean()),
  stream_options: used(
    v.strictObject({
      include_usage: v.nullish(v.boolean()),
      // padding against whoever measures packets: transport is plain HTTP here
      include_obfuscation: v.nullish(v.boolean()),
    }),
  ),
  user: used(v.string()),
  metadata: noEffect,
  store: noEffect,
  service_tier: noEffect,
  safety_identifier: noEffect,
  prompt_cache_key: noEffect,
  prompt_cache_retention: noEffect,
} as const;

type SamplingFields = FieldsOf<typeof SAMPLING_FIELDS>;

/** What the server says where a request does not. */
export interface RequestDefaults {
  readonly temperature: number;
  /** Longest answer in tokens that may be asked for; left out, the context is the limit. */
  readonly maxTokens?: number;
  /** A number for draws of a request without a `seed`. */
  seed(): number;
}

type Drawn = Pick<CompletionRequest, 'draw' | 'penalties' | 'bias' | 'stop'>;

/** How answers are drawn. */
export function drawnOf(fields: SamplingFields, defaults: RequestDefaults): Drawn {
  const { temperature = defaults.temperature, top_p, top_k, min_p, seed, stop = [], logit_bias } = fields;
  const { presence_penalty: presence, frequency_penalty: frequency, repetition_penalty: repetition } = fields;
  return {
    draw: {
      temperature,
      // the smallest set of tokens holds one, whatever the share
      topP: top_p === 0 ? Number.MIN_VALUE : top_p,
      topK: top_k === undefined || top_k < 1 ? undefined : top_k,
      minP: min_p,
      seed: seed === undefined ? defaults.seed() : Math.abs(seed),
    },
    ...(presence === undefined && frequency === undefined && repetition === undefined
      ? {}
      : { penalties: { presence, frequency, repetition } }),
    ...(logit_bias === undefined ? {} : { bias: logit_bias }),
    stop: typeof stop === 'string' ? [stop] : stop,
  };
}

/** The longest answer of a request. Throws an `ApiError` above what the server allows. */
export function longestAnswer(
  name: string,
  asked: number | undefined,
  { maxTokens }: RequestDefaults,
): number | undefined {
  if (asked !== undefined && maxTokens !== undefined && asked > maxTokens)
    throw badField(
      name,
      `\`${name}\` is too large: ${asked}; this server answers with at most ${maxTokens} tokens`,
    );
  return asked ?? maxTokens;
}

/** Throws an `ApiError` for stream options without a stream. */
export function checkStream({ stream, stream_options }: SamplingFields): void {
  if (stream_options !== undefined && stream !== true)
    throw badField('stream_options', '`stream_options` is only allowed with `stream: true`');
}

/** `POST /v1/completions`: texts that are continued. */
import * as v from 'valibot';
import type { CompletionPrompt, TokenLogprob } from '../../../compute/serving/types.js';
import { that } from '../../../language/host/json.js';
import { badField } from './api-error.js';
import { type Answered, type Exchange, logprobNumber, totalUsage, usageBody } from './exchange.js';
import { readFields, refused, used } from './fields.js';
import { formatOf, responseFormat } from './response-format.js';
import {
  checkStream,
  drawnOf,
  longestAnswer,
  type RequestDefaults,
  SAMPLING_FIELDS,
  whole,
} from './sampling-fields.js';

/** As OpenAI's. */
const DEFAULT_TOKENS = 16;
/** Of one request. */
const MOST_PROMPTS = 256;

const tokens = that(
  (value): value is readonly number[] =>
    Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id) && id >= 0),
  'a list of token ids',
);
const prompt = that(
  (value): value is string | readonly string[] | readonly number[] | readonly (readonly number[])[] =>
    typeof value === 'string' ||
    v.is(tokens, value) ||
    (Array.isArray(value) &&
      value.length > 0 &&
      value.length <= MOST_PROMPTS &&
      (value.every((each) => typeof each === 'string') || value.every((each) => v.is(tokens, each)))),
  `a text, a list of token ids, or a list of 1 to ${MOST_PROMPTS} of either`,
);

const FIELDS = {
  ...SAMPLING_FIELDS,
  prompt: used(prompt),
  max_tokens: used(whole(0)),
  logprobs: used(whole(0, 20)),
  echo: used(v.boolean()),
  best_of: used(whole(1)),
  response_format: used(responseFormat),
  suffix: refused('no text is put in between two others', ['']),
} as const;

/** Throws an `ApiError`. */
export function completionExchange(body: unknown, defaults: RequestDefaults): Exchange {
  const fields = readFields(FIELDS, body);
  const {
    model,
    prompt,
    n = 1,
    echo = false,
    best_of = n,
    logprobs,
    stream = false,
    stream_options,
    user,
  } = fields;
  if (model === undefined)
    throw badField('model', 'you must provide a model parameter', 'missing_required_parameter');
  if (prompt === undefined)
    throw badField('prompt', 'you must provide a prompt parameter', 'missing_required_parameter');
  if (best_of !== n)
    throw badField('best_of', '`best_of` must be `n`: answers are not chosen among', 'unsupported_value');
  checkStream(fields);
  const asked = fields.max_tokens ?? Math.min(DEFAULT_TOKENS, defaults.maxTokens ?? DEFAULT_TOKENS);
  if (asked === 0 && !echo) throw badField('max_tokens', '`max_tokens` must be at least 1 without `echo`');
  const prompts = promptsOf(prompt);
  if (n * prompts.length > MOST_PROMPTS)
    throw badField('n', `${prompts.length} prompts with \`n\` of ${n} are more than ${MOST_PROMPTS} answers`);
  const request = {
    ...drawnOf(fields, defaults),
    maxTokens: longestAnswer('max_tokens', asked, defaults),
    ...(logprobs === undefined ? {} : { logprobs }),
    ...(echo ? { echo } : {}),
    ...formatOf(fields.response_format),
  };
  return {
    endpoint: 'completions',
    model,
    requests: prompts.flatMap((each) =>
      Array.from({ length: n }, (_, stream) => ({ ...request, prompt: each, stream })),
    ),
    perPrompt: n,
    stream,
    includeUsage: stream_options?.include_usage === true,
    ...(user === undefined ? {} : { user }),
    prompt,
    check: () => {},
    reply: ({ fingerprint, ...envelope }, answers) => ({
      ...envelope,
      object: 'text_completion',
      system_fingerprint: fingerprint,
      choices: answers.map((answer, index) => choiceOf(answer, index, logprobs !== undefined)),
      usage: usageBody(totalUsage(answers, n)),
    }),
    choice: (index) => choiceStream(index, logprobs !== undefined),
    chunk: ({ fingerprint, ...envelope }, choices, usage) => ({
      ...envelope,
      object: 'text_completion',
      system_fingerprint: fingerprint,
      choices,
      ...(usage === undefined ? {} : { usage }),
    }),
  };
}

type Prompts = v.InferInput<typeof prompt>;

function promptsOf(prompt: Prompts): readonly CompletionPrompt[] {
  if (typeof prompt === 'string') return [{ text: prompt }];
  if (v.is(tokens, prompt)) return [{ tokens: prompt }];
  return prompt.map((each) => (typeof each === 'string' ? { text: each } : { tokens: [each].flat() }));
}

const choiceOf = ({ text, logprobs, reason }: Answered, index: number, wantsLogprobs: boolean) => ({
  text,
  index,
  logprobs: wantsLogprobs ? logprobsBody(logprobs, beginningOf(text, logprobs)) : null,
  finish_reason: reason,
});

function choiceStream(index: number, wantsLogprobs: boolean) {
  let offset: number | undefined;
  const chunk = (text: string, logprobs: object | null, reason: string | null) => [
    { text, index, logprobs, finish_reason: reason },
  ];
  return {
    begin: () => [],
    text: ({
      text,
      logprobs: tokens = [],
    }: {
      readonly text: string;
      readonly logprobs?: readonly TokenLogprob[];
    }) => {
      offset ??= beginningOf(text, tokens);
      const logprobs = wantsLogprobs ? logprobsBody(tokens, offset) : null;
      offset += joined(tokens).length;
      return text === '' && tokens.length === 0 ? [] : chunk(text, logprobs, null);
    },
    end: (reason: string) => chunk('', null, reason),
  };
}

const joined = (tokens: readonly TokenLogprob[]): string => tokens.map(({ text }) => text).join('');

/**
 * Where the first token is, in characters from the beginning of the answer: before it, if it is one that begins every text and was
 * not in the prompt that is repeated.
 */
const beginningOf = (text: string, tokens: readonly TokenLogprob[]): number =>
  Math.min(0, -joined(tokens).indexOf(text));

/** Offsets are characters from the beginning of the answer. */
function logprobsBody(tokens: readonly TokenLogprob[], from: number) {
  let offset = from;
  const offsets = tokens.map(({ text }) => {
    offset += text.length;
    return Math.max(0, offset - text.length);
  });
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprobNumber(logprob)),
    top_logprobs: tokens.map(({ top, logprob }) =>
      Number.isNaN(logprob)
        ? null
        : Object.fromEntries(top.map(({ text, logprob: each }) => [text, logprobNumber(each)])),
    ),
    text_offset: offsets,
  };
}

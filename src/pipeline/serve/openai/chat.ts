/** `POST /v1/chat/completions`. */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { ToolCall } from '../../../compute/serving/tool-calls.js';
import type { AnswerFormat, ServingInfo, TokenLogprob } from '../../../compute/serving/types.js';
import { ApiError, badField } from './api-error.js';
import {
  type Answered,
  type ChoiceStream,
  type Exchange,
  logprobNumber,
  totalUsage,
  usageBody,
} from './exchange.js';
import { type FieldsOf, readFields, refused, used } from './fields.js';
import { chatMessages, messages, tools } from './messages.js';
import { formatOf, responseFormat } from './response-format.js';
import {
  checkStream,
  drawnOf,
  longestAnswer,
  type RequestDefaults,
  SAMPLING_FIELDS,
  whole,
} from './sampling-fields.js';
import { type Calling, callingOf, callReader, toolChoice } from './tool-choice.js';

const NO_REASONING = 'the answer is the text that the model writes';

const FIELDS = {
  ...SAMPLING_FIELDS,
  messages: used(messages),
  max_tokens: used(whole(1)),
  max_completion_tokens: used(whole(1)),
  logprobs: used(v.boolean()),
  top_logprobs: used(whole(0, 20)),
  response_format: used(responseFormat),
  tools: used(tools),
  tool_choice: used(toolChoice),
  parallel_tool_calls: used(v.boolean()),
  audio: refused('the model writes text only'),
  modalities: refused('the model writes text only', [['text']]),
  prediction: refused('an answer is not predicted by the client'),
  web_search_options: refused('the server looks nothing up'),
  function_call: refused('write `tool_choice`', ['none']),
  functions: refused('write `tools`', [[]]),
  reasoning_effort: refused(NO_REASONING, ['none']),
  verbosity: refused(NO_REASONING, ['medium']),
} as const;

type ChatFields = FieldsOf<typeof FIELDS>;

/** Throws an `ApiError`. */
export function chatExchange(body: unknown, defaults: RequestDefaults): Exchange {
  const fields = readFields(FIELDS, body);
  const { model, n = 1, stream = false, stream_options, user } = fields;
  if (model === undefined)
    throw badField('model', 'you must provide a model parameter', 'missing_required_parameter');
  if (fields.messages === undefined)
    throw badField('messages', 'you must provide a messages parameter', 'missing_required_parameter');
  checkStream(fields);
  const calling = callingOf(fields);
  const wantsLogprobs = fields.logprobs === true;
  const request = {
    ...drawnOf(fields, defaults),
    prompt: {
      messages: chatMessages(fields.messages),
      ...(calling.tools.length === 0 ? {} : { tools: calling.tools }),
    },
    maxTokens: chatLimit(fields, defaults),
    ...(wantsLogprobs ? { logprobs: topOf(fields) } : {}),
    ...formatFor(fields, calling),
  };
  return {
    endpoint: 'chat',
    model,
    requests: Array.from({ length: n }, (_, stream) => ({ ...request, stream })),
    perPrompt: n,
    stream,
    includeUsage: stream_options?.include_usage === true,
    ...(user === undefined ? {} : { user }),
    prompt: fields.messages,
    check: (info) => checkModel(info, calling),
    reply: ({ fingerprint, ...envelope }, answers, info) => ({
      ...envelope,
      object: 'chat.completion',
      system_fingerprint: fingerprint,
      choices: answers.map((answer, index) => choiceOf(answer, { index, wantsLogprobs, calling, info })),
      usage: usageBody(totalUsage(answers, n)),
    }),
    choice: (index, info) => choiceStream({ index, wantsLogprobs, calling, info }),
    chunk: ({ fingerprint, ...envelope }, choices, usage) => ({
      ...envelope,
      object: 'chat.completion.chunk',
      system_fingerprint: fingerprint,
      choices,
      ...(usage === undefined ? {} : { usage }),
    }),
  };
}

function chatLimit({ max_tokens, max_completion_tokens }: ChatFields, defaults: RequestDefaults) {
  if (max_tokens !== undefined && max_completion_tokens !== undefined && max_tokens !== max_completion_tokens)
    throw badField('max_tokens', '`max_tokens` and `max_completion_tokens` contradict each other: give one');
  const name = max_tokens === undefined ? 'max_completion_tokens' : 'max_tokens';
  return longestAnswer(name, max_tokens ?? max_completion_tokens, defaults);
}

/** Alternatives per token. */
const topOf = ({ top_logprobs = 0 }: ChatFields): number => top_logprobs;

function formatFor(fields: ChatFields, calling: Calling): { readonly format?: AnswerFormat } {
  if (fields.top_logprobs !== undefined && fields.logprobs !== true)
    throw badField('top_logprobs', '`top_logprobs` is only allowed with `logprobs: true`');
  const asked = formatOf(fields.response_format);
  if (calling.format === undefined) return asked;
  if (asked.format !== undefined)
    throw badField(
      'response_format',
      '`response_format` and a `tool_choice` that has to call contradict each other',
    );
  return { format: calling.format };
}

function checkModel(info: ServingInfo, { tools }: Calling): void {
  if (!info.chats)
    throw new ApiError(400, 'the model has no chat template: ask it through /v1/completions', {
      code: 'unsupported_model',
    });
  if (tools.length > 0 && !info.tools)
    throw badField(
      'tools',
      "`tools` is not supported: the model's chat template writes none",
      'unsupported_parameter',
    );
}

interface ChoiceOptions {
  readonly index: number;
  readonly wantsLogprobs: boolean;
  readonly calling: Calling;
  readonly info: ServingInfo;
}

function choiceOf(answer: Answered, { index, wantsLogprobs, calling, info }: ChoiceOptions) {
  const { content, calls } = calling.read(answer.text, info);
  return {
    index,
    message: {
      role: 'assistant',
      content: calls.length > 0 && content === '' ? null : content,
      refusal: null,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(callBody) }),
    },
    logprobs: wantsLogprobs ? logprobsBody(answer.logprobs) : null,
    finish_reason: finishReason(answer.reason, calls),
  };
}

const finishReason = (reason: 'stop' | 'length', calls: readonly ToolCall[]) =>
  calls.length > 0 && reason === 'stop' ? 'tool_calls' : reason;

const callBody = ({ name, arguments: text }: ToolCall) => ({
  id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
  type: 'function',
  function: { name, arguments: text },
});

function choiceStream({ index, wantsLogprobs, calling, info }: ChoiceOptions): ChoiceStream {
  const chunk = (delta: object, reason: string | null, logprobs: object | null = null) => ({
    index,
    delta,
    logprobs,
    finish_reason: reason,
  });
  const reader = callReader(calling, info);
  return {
    begin: () => [chunk({ role: 'assistant', content: '', refusal: null }, null)],
    text: (piece) => {
      const content = reader.push(piece.text);
      const logprobs = wantsLogprobs ? (piece.logprobs ?? []) : [];
      if (content === '' && logprobs.length === 0) return [];
      return [chunk({ content }, null, logprobs.length === 0 ? null : logprobsBody(logprobs))];
    },
    end: (reason) => {
      const { content, calls } = reader.end();
      return [
        ...(content === '' ? [] : [chunk({ content }, null)]),
        ...(calls.length === 0
          ? []
          : [chunk({ tool_calls: calls.map((call, at) => ({ index: at, ...callBody(call) })) }, null)]),
        chunk({}, finishReason(reason, calls)),
      ];
    },
  };
}

const tokenBody = ({ text, logprob, bytes }: Pick<TokenLogprob, 'text' | 'logprob' | 'bytes'>) => ({
  token: text,
  logprob: logprobNumber(logprob),
  bytes,
});

const logprobsBody = (tokens: readonly TokenLogprob[]) => ({
  content: tokens.map((token) => ({ ...tokenBody(token), top_logprobs: token.top.map(tokenBody) })),
  refusal: null,
});

/** Messages of a chat as OpenAI's API writes them, and as chat templates read them. */
import * as v from 'valibot';
import { contentText, MessageFault } from '../../../compute/models/messages.js';
import type { ChatMessage } from '../../../compute/models/types.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { badField } from './api-error.js';

/** In one request. */
const MOST_MESSAGES = 10_000;
const MOST_TOOLS = 128;

const content = v.nullish(v.union([v.string(), v.array(v.unknown())]));
const toolCall = v.object({
  id: v.string(),
  type: v.literal('function'),
  function: v.object({ name: v.string(), arguments: v.string() }),
});

const message = v.object({
  role: v.picklist(['system', 'developer', 'user', 'assistant', 'tool']),
  content,
  name: v.nullish(v.string()),
  tool_calls: v.nullish(v.array(toolCall)),
  tool_call_id: v.nullish(v.string()),
});
type Message = v.InferInput<typeof message>;

export const messages = v.pipe(
  v.array(message),
  v.check((list) => list.length > 0, 'a list of at least one message'),
  v.check((list) => list.length <= MOST_MESSAGES, `a list of at most ${MOST_MESSAGES} messages`),
);

/** A tool that the model may call. */
const tool = v.object({
  type: v.literal('function'),
  function: v.object({
    name: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, 'at most 64 letters, digits, `_`, `-` and `.`')),
    description: v.nullish(v.string()),
    parameters: v.nullish(v.custom<Json>(isJson, 'a JSON Schema')),
    strict: v.nullish(v.boolean()),
  }),
});
export const tools = v.pipe(
  v.array(tool),
  v.check((list) => list.length <= MOST_TOOLS, `a list of at most ${MOST_TOOLS} tools`),
);
export type Tool = v.InferInput<typeof tool>;

/** Throws an `ApiError` for what no template can write. */
export const chatMessages = (list: readonly Message[]): readonly ChatMessage[] =>
  list.map((each, index) => chatMessage(each, `messages[${index}]`));

function chatMessage({ role, tool_calls, tool_call_id, name, ...rest }: Message, at: string): ChatMessage {
  const text = textOf(rest.content, `${at}.content`);
  const calls = role === 'assistant' ? (tool_calls ?? []) : [];
  if (text === undefined && calls.length === 0)
    throw badField(`${at}.content`, `\`${at}\` has no \`content\``, 'missing_required_parameter');
  if (role === 'tool' && typeof tool_call_id !== 'string')
    throw badField(`${at}.tool_call_id`, `\`${at}\` has no \`tool_call_id\``, 'missing_required_parameter');
  return {
    role: role === 'developer' ? 'system' : role,
    content: text ?? '',
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call): Json => ({ ...call })) }),
    ...(typeof tool_call_id === 'string' ? { tool_call_id } : {}),
    ...(typeof name === 'string' ? { name } : {}),
  };
}

/** A text, or the parts of one. */
function textOf(found: Message['content'], at: string): string | undefined {
  const text = contentText(found, at);
  if (!(text instanceof MessageFault)) return text;
  const place = text.at.replace(/\/(\d+)/g, '[$1]');
  throw badField(
    place,
    `\`${place}\` ${text.detail}`,
    text.reason === 'unsupported' ? 'unsupported_value' : undefined,
  );
}

/** Messages as OpenAI's API and data sets write them: what is read of them, for training and for serving alike. */
import { ExactNumber, entriesOf, parseExact } from '../../language/host/exact-json.js';
import { isJson, type Json } from '../../language/host/json.js';
import type { ChatMessage } from './types.js';

/** Why something is no message; `detail` continues the sentence that its place begins. */
export class MessageFault {
  constructor(
    readonly reason: 'missing' | 'wrong_type' | 'unsupported' | 'empty',
    /** As a JSON pointer. */
    readonly at: string,
    readonly detail: string,
  ) {}
}

/** Who speaks, by the names that have been used for it. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
};

const USUAL_ROLES = 'system, user, assistant, tool';

/** A message of OpenAI's form: `role`, `content`, `tool_calls` or `function_call`, `tool_call_id`, `name`. */
export function readMessage(entry: Json, at: string): ChatMessage | MessageFault {
  const { role: given, reasoning_content: thoughts } = entry;
  if (typeof given !== 'string' || !Object.hasOwn(ROLES, given))
    return new MessageFault('wrong_type', `${at}/role`, `must be one of ${USUAL_ROLES}`);
  const role = ROLES[given] ?? 'user';
  const content = contentText(entry['content'], `${at}/content`);
  if (content instanceof MessageFault) return content;
  const calls = callsOf(entry, at);
  if (calls instanceof MessageFault) return calls;
  if (calls.length > 0 && role !== 'assistant')
    return new MessageFault('wrong_type', at, 'calls tools, which only the assistant does');
  if (content === undefined && calls.length === 0)
    return new MessageFault(
      'wrong_type',
      `${at}/content`,
      `is ${entry['content'] === null ? 'null' : 'missing'}, must be a string`,
    );
  if (role === 'assistant' && calls.length === 0 && content?.trim() === '')
    return new MessageFault('empty', `${at}/content`, 'is empty');
  const names = namesOf(entry, at);
  if (names instanceof MessageFault) return names;
  return {
    role,
    content: content ?? '',
    ...(typeof thoughts === 'string' && { reasoning_content: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...names,
  };
}

/** What names a tool's answer, or a speaker. */
function namesOf(entry: Json, at: string): Pick<ChatMessage, 'tool_call_id' | 'name'> | MessageFault {
  const names: { tool_call_id?: string; name?: string } = {};
  for (const key of ['tool_call_id', 'name'] as const) {
    const value = entry[key] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string') return new MessageFault('wrong_type', `${at}/${key}`, 'must be a string');
    names[key] = value;
  }
  return names;
}

/** A text, or the texts of a list of parts; `undefined` where there is none. */
export function contentText(content: unknown, at: string): string | undefined | MessageFault {
  if (content === undefined || content === null) return undefined;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content))
    return new MessageFault('wrong_type', at, 'must be a string or a list of parts');
  let whole = '';
  for (const [index, part] of content.entries()) {
    const text = partText(part, `${at}/${index}`);
    if (text instanceof MessageFault) return text;
    whole += text;
  }
  return whole;
}

/** Parts of text, and of a refusal, which is text. */
function partText(part: unknown, at: string): string | MessageFault {
  const { type, text, refusal } = isJson(part) ? part : {};
  if (typeof type === 'string' && type !== 'text' && type !== 'refusal')
    return new MessageFault(
      'unsupported',
      at,
      `is a part of type ${JSON.stringify(type.slice(0, 40))}, which is not supported: the model reads text only`,
    );
  const found = type === 'refusal' ? refusal : text;
  return typeof type === 'string' && typeof found === 'string'
    ? found
    : new MessageFault('wrong_type', at, 'must be a part with a `type` and a `text`');
}

/** `tool_calls`, or the one `function_call` of older files. */
function callsOf(entry: Json, at: string): readonly Json[] | MessageFault {
  const [list = undefined, single = undefined] = [
    entry['tool_calls'] ?? undefined,
    entry['function_call'] ?? undefined,
  ];
  if (list === undefined && single === undefined) return [];
  // files with one form for all rows have an empty list next to the older field
  if (list === undefined || (single !== undefined && Array.isArray(list) && list.length === 0)) {
    const call = readCall(single, `${at}/function_call`);
    return call instanceof MessageFault ? call : [call];
  }
  if (!Array.isArray(list)) return new MessageFault('wrong_type', `${at}/tool_calls`, 'must be a list');
  const calls: Json[] = [];
  for (const [index, each] of list.entries()) {
    const call = readCall(each, `${at}/tool_calls/${index}`);
    if (call instanceof MessageFault) return call;
    calls.push(call);
  }
  return calls;
}

/** A call as templates read it: `{ type: 'function', function: { name, arguments } }`, with an object of arguments. */
export function readCall(call: unknown, at: string): Json | MessageFault {
  const bare = isJson(call) && !isJson(call['function']);
  const called = isJson(call) ? (bare ? call : call['function']) : undefined;
  if (!isJson(call) || !isJson(called) || typeof called['name'] !== 'string' || called['name'] === '')
    return new MessageFault('wrong_type', at, 'must be a call of a function: `name` and `arguments`');
  const given = called['arguments'] ?? called['parameters'] ?? {};
  const read = typeof given === 'string' ? argumentsOf(given) : given;
  if (entriesOf(read) === undefined)
    return new MessageFault(
      'wrong_type',
      `${at}/${bare ? '' : 'function/'}arguments`,
      'must be an object, or the text of one in JSON',
    );
  if (bare) return { type: 'function', function: { name: called['name'], arguments: read } };
  return { ...call, function: { ...called, arguments: read } };
}

/** What is no JSON stays a text; no text at all is no arguments. */
export function argumentsOf(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return parseExact(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/**
 * The tools of a row: a list, or its JSON, of `{ type: 'function', function }` or of functions alone, which are put into that
 * form.
 */
export function readTools(value: unknown, at: string): readonly Json[] | MessageFault {
  const list = typeof value === 'string' ? (value.trim() === '' ? [] : argumentsOf(value)) : (value ?? []);
  if (!Array.isArray(list)) return new MessageFault('wrong_type', at, 'must be a list of tools, or its JSON');
  const tools: Json[] = [];
  for (const [index, tool] of list.entries()) {
    const isWhole = isJson(tool) && isJson(tool['function']);
    const described = isWhole ? tool['function'] : tool;
    if (
      !isJson(tool) ||
      !isJson(described) ||
      described instanceof ExactNumber ||
      typeof described['name'] !== 'string'
    )
      return new MessageFault('wrong_type', `${at}/${index}`, 'must be a tool: a `function` with a `name`');
    tools.push(isWhole ? tool : { type: 'function', function: tool });
  }
  return tools;
}

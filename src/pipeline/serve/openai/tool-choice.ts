/** Tools of a request: which the template writes, what the answer is held to, and calls that are read out of its text. */
import * as v from 'valibot';
import { callsBegin, type TextWithCalls, toolCallsOf } from '../../../compute/serving/tool-calls.js';
import type { AnswerFormat, ServingInfo } from '../../../compute/serving/types.js';
import { isJson, type Json, that } from '../../../language/host/json.js';
import { badField } from './api-error.js';
import type { Tool } from './messages.js';

const CHOICE = v.union([
  v.picklist(['none', 'auto', 'required']),
  v.object({ type: v.literal('function'), function: v.object({ name: v.string() }) }),
]);
export const toolChoice = that(
  (value): value is v.InferInput<typeof CHOICE> => v.is(CHOICE, value),
  '"none", "auto", "required", or `{"type": "function", "function": {"name": …}}`',
);

export interface Calling {
  /** As the template reads them. */
  readonly tools: readonly Json[];
  /** The answer is a call, and nothing else. */
  readonly format?: AnswerFormat;
  read(text: string, info: ServingInfo): TextWithCalls;
  /** Of a part of an answer, how much is content whatever follows; `isFirst`: nothing is before it. */
  content(text: string, info: ServingInfo, isFirst: boolean): number;
}

interface CallFields {
  readonly tools?: readonly Tool[];
  readonly tool_choice?: v.InferInput<typeof toolChoice>;
  readonly parallel_tool_calls?: boolean;
}

/** Throws an `ApiError` for a choice among tools that are not there. */
export function callingOf({ tools = [], tool_choice, parallel_tool_calls = true }: CallFields): Calling {
  const choice = tool_choice ?? (tools.length === 0 ? 'none' : 'auto');
  if (choice === 'none') return NO_CALLS;
  if (tools.length === 0) throw badField('tool_choice', '`tool_choice` is only allowed with `tools`');
  const asTemplate = tools.map((tool): Json => ({ ...tool }));
  if (choice === 'auto')
    return {
      tools: asTemplate,
      read: (text, info) => {
        const { content, calls } = toolCallsOf(text, info.toolStyle ?? 'json');
        return { content, calls: parallel_tool_calls ? calls : calls.slice(0, 1) };
      },
      content: (text, info, isFirst) => callsBegin(text, info.toolStyle ?? 'json', isFirst),
    };
  const allowed =
    choice === 'required' ? tools : tools.filter(({ function: { name } }) => name === choice.function.name);
  if (allowed.length === 0)
    throw badField(
      'tool_choice',
      '`tool_choice` names a function that `tools` does not have',
      'invalid_value',
    );
  return {
    tools: asTemplate,
    format: { type: 'json_schema', schema: callSchema(allowed) },
    read: (text) => toolCallsOf(text, 'json'),
    content: () => 0,
  };
}

const NO_CALLS: Calling = {
  tools: [],
  read: (content) => ({ content, calls: [] }),
  content: (text) => text.length,
};

/** One call, as the answer writes it where it has to be one. */
const callSchema = (tools: readonly Tool[]): Json => {
  const one = ({ function: { name, parameters } }: Tool): Json => ({
    type: 'object',
    properties: { name: { const: name }, arguments: argumentsOf(parameters) },
    required: ['name', 'arguments'],
    additionalProperties: false,
  });
  const [first, ...others] = tools.map(one);
  return first !== undefined && others.length === 0 ? first : { anyOf: tools.map(one) };
};

const NO_ARGUMENTS: Json = { type: 'object', properties: {}, additionalProperties: false };

/** As in OpenAI's API, a function that names no parameters takes none. */
function argumentsOf(parameters: Json | null | undefined): Json {
  if (parameters == null) return NO_ARGUMENTS;
  const { properties, required = [] } = parameters;
  const isNone = isJson(properties) && Object.keys(properties).length === 0;
  return isNone && Array.isArray(required) && required.length === 0
    ? { additionalProperties: false, ...parameters }
    : parameters;
}

/** Reads an answer while it grows: content is given at once, and calls at the end. */
export function callReader(calling: Calling, info: ServingInfo) {
  let given = '';
  let held = '';
  let isFirst = true;
  return {
    /** The content that a piece adds. */
    push(piece: string): string {
      held += piece;
      const until = calling.content(held, info, isFirst);
      const content = held.slice(0, until);
      held = held.slice(until);
      given += content;
      isFirst &&= content.trim() === '';
      return content;
    },
    /** The rest. */
    end(): TextWithCalls {
      const { content, calls } = calling.read(given + held, info);
      // content around calls is told trimmed: what was not given yet is between them
      return { content: calls.length === 0 ? held : content.slice(given.length), calls };
    },
  };
}

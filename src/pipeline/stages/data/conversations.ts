/** Chats of rows: `messages` as OpenAI's API has them, and `conversations` of ShareGPT, `{ "from", "value" }`. */
import {
  argumentsOf,
  MessageFault,
  readCall,
  readMessage,
  readTools,
} from '../../../compute/models/messages.js';
import type { ChatMessage } from '../../../compute/models/types.js';
import { ExactNumber } from '../../../language/host/exact-json.js';
import { isJson, type Json } from '../../../language/host/json.js';
import type { OwnName } from './column-names.js';
import { kindOf, mustBe, type Row, RowFault } from './parse-row.js';

/** A message of a row. */
export interface Turn {
  readonly message: ChatMessage;
  /** Of its tokens in the loss, from 0 to 1; default: 1. */
  readonly weight?: number;
  /** Of calls: what the row says, for a template that writes none. */
  readonly asText?: string;
}

export interface Chat {
  readonly turns: readonly Turn[];
  readonly tools: readonly Json[];
}

/** Who speaks in ShareGPT: the names of its first files, those of chats, and LLaMA-Factory's for tools. */
export const SPEAKERS: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  function_call: 'assistant',
  tool: 'tool',
  observation: 'tool',
  function_response: 'tool',
};

const FORMS = { messages: readTurn, conversations: spokenTurn } as const;

/** The chat in a column of a row, or why there is none. */
export function chatOf(row: Row, column: keyof typeof FORMS, own: OwnName): Chat | RowFault {
  const list = row[column];
  const name = own(column);
  if (list === undefined || list === null) return new RowFault('missing_column', `no column \`${name}\``);
  if (!Array.isArray(list)) return mustBe(`/${name}`, list, 'a list');
  if (list.length === 0) return new RowFault('empty', `\`${name}\` is empty`);
  const turns: Turn[] = [];
  for (const [index, entry] of list.entries()) {
    const at = `/${name}/${index}`;
    if (!isJson(entry)) return mustBe(at, entry, 'an object');
    const turn = FORMS[column](entry, at);
    if (turn instanceof RowFault) return turn;
    const weight = weightOf(entry, turn.message.role, at);
    if (weight instanceof RowFault) return weight;
    turns.push(weight === undefined ? turn : { ...turn, weight });
  }
  const tools = readTools(row['tools'], `/${own('tools')}`);
  return tools instanceof MessageFault ? rowFault(tools) : { turns: named(turns), tools };
}

const rowFault = ({ reason, at, detail }: MessageFault): RowFault =>
  new RowFault(reason === 'empty' ? 'empty' : 'wrong_type', `${at} ${detail}`);

function readTurn(entry: Json, at: string): Turn | RowFault {
  const message = readMessage(entry, at);
  return message instanceof MessageFault ? rowFault(message) : { message };
}

function spokenTurn({ from, value }: Json, at: string): Turn | RowFault {
  if (typeof from !== 'string' || !Object.hasOwn(SPEAKERS, from)) {
    const found = typeof from === 'string' ? JSON.stringify(from) : kindOf(from ?? null);
    const known = Object.keys(SPEAKERS).join(', ');
    return new RowFault('wrong_type', `${at}/from is ${found}, must be one of ${known}`);
  }
  const role = SPEAKERS[from] ?? 'user';
  if (typeof value !== 'string') return mustBe(`${at}/value`, value ?? null, 'a string');
  if (role === 'assistant' && value.trim() === '') return new RowFault('empty', `${at}/value is empty`);
  return from === 'function_call' ? calling(value, `${at}/value`) : { message: { role, content: value } };
}

/** `{ "name", "arguments" }` in JSON, or a list of them; what is no JSON is said as it is. */
function calling(value: string, at: string): Turn | RowFault {
  const read = argumentsOf(value);
  if (typeof read === 'string') return { message: { role: 'assistant', content: value } };
  const calls: Json[] = [];
  for (const [index, each] of [read].flat().entries()) {
    const call = readCall(each, Array.isArray(read) ? `${at}/${index}` : at);
    if (call instanceof MessageFault) return rowFault(call);
    calls.push(call);
  }
  return { message: { role: 'assistant', content: '', tool_calls: calls }, asText: value };
}

/** Answers of ShareGPT's tools have no name: they come in the order of the calls. */
function named(turns: readonly Turn[]): readonly Turn[] {
  let waiting: readonly string[] = [];
  return turns.map((turn) => {
    const { message, asText } = turn;
    if (asText !== undefined)
      waiting = (message.tool_calls ?? []).flatMap(({ function: called }) =>
        isJson(called) ? [String(called['name'])] : [],
      );
    const [name, ...others] = waiting;
    if (message.role !== 'tool' || name === undefined) return turn;
    waiting = others;
    return { ...turn, message: { ...message, name } };
  });
}

/** `"train": false`, or `"weight"`: only what the assistant says can be trained on. */
function weightOf(
  { train, weight }: Json,
  role: ChatMessage['role'],
  at: string,
): number | undefined | RowFault {
  if (train !== undefined && train !== null && typeof train !== 'boolean')
    return mustBe(`${at}/train`, train, '`true` or `false`');
  const given = (weight instanceof ExactNumber ? weight.value : weight) ?? undefined;
  if (given !== undefined && (typeof given !== 'number' || !(given >= 0 && given <= 1)))
    return new RowFault(
      'wrong_type',
      `${at}/weight is ${typeof given === 'number' ? given : kindOf(given)}, must be a number from 0 to 1`,
    );
  const found = train === false ? 0 : (given ?? (train === true ? 1 : undefined));
  if (role === 'assistant' || found === undefined) return found;
  return found === 0
    ? undefined
    : new RowFault('wrong_type', `${at} is to be trained on, but only what the assistant says can be`);
}

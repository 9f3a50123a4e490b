/** ShareGPT: `conversations`, a list of `{ "from", "value" }`. */
import type { ChatMessage } from '../../../compute/models/types.js';
import { kindOf, type Row, RowFault } from './parse-row.js';

/**
 * Who speaks, by the names that data sets use: those of the first ShareGPT files, those of chats, and LLaMA-Factory's
 * for tools (`function_call` is what the assistant asks of a tool, `observation` what it answers).
 */
const SPEAKERS: Readonly<Record<string, ChatMessage['role']>> = {
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

/** The turns of a row, or why it has none. */
export function turnsOf(row: Row): readonly ChatMessage[] | RowFault {
  const list = row['conversations'];
  if (list === undefined || list === null) return new RowFault('missing_column', 'no column `conversations`');
  if (!Array.isArray(list))
    return new RowFault('wrong_type', `/conversations is ${kindOf(list)}, must be a list`);
  if (list.length === 0) return new RowFault('empty', '`conversations` is empty');
  const turns: ChatMessage[] = [];
  for (const [index, entry] of list.entries()) {
    const turn = turnOf(entry, `/conversations/${index}`);
    if (turn instanceof RowFault) return turn;
    turns.push(turn);
  }
  return turns;
}

function turnOf(entry: unknown, at: string): ChatMessage | RowFault {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return new RowFault('wrong_type', `${at} is ${kindOf(entry)}, must be an object`);
  const { from, value } = entry as Row;
  if (typeof from !== 'string' || !Object.hasOwn(SPEAKERS, from)) {
    const found = typeof from === 'string' ? JSON.stringify(from) : kindOf(from ?? null);
    return new RowFault(
      'wrong_type',
      `${at}/from is ${found}, must be one of ${Object.keys(SPEAKERS).join(', ')}`,
    );
  }
  if (typeof value !== 'string')
    return new RowFault('wrong_type', `${at}/value is ${kindOf(value ?? null)}, must be a string`);
  const role = SPEAKERS[from] ?? 'user';
  if (role === 'assistant' && value.trim() === '') return new RowFault('empty', `${at}/value is empty`);
  return { role, content: value };
}

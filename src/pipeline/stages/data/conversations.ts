/** ShareGPT: `conversations`, a list of `{ "from", "value" }`. */
import type { ChatMessage } from '../../../compute/models/types.js';
import { kindOf, mustBe, type Row, RowFault } from './parse-row.js';

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

/** The turns of a row, or why it has none; `name` is what the source calls their column. */
export function turnsOf(row: Row, name = 'conversations'): readonly ChatMessage[] | RowFault {
  const list = row['conversations'];
  if (list === undefined || list === null) return new RowFault('missing_column', `no column \`${name}\``);
  return turnsIn(name, list, turnOf);
}

/** The turns in the list of a column, or what is wrong with the first that is none. */
export function turnsIn<T>(
  column: string,
  list: unknown,
  turnOf: (entry: Row, at: string) => T | RowFault,
): readonly T[] | RowFault {
  if (!Array.isArray(list)) return mustBe(`/${column}`, list, 'a list');
  if (list.length === 0) return new RowFault('empty', `\`${column}\` is empty`);
  const turns: T[] = [];
  for (const [index, entry] of list.entries()) {
    const at = `/${column}/${index}`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
      return mustBe(at, entry, 'an object');
    const turn = turnOf(entry as Row, at);
    if (turn instanceof RowFault) return turn;
    turns.push(turn);
  }
  return turns;
}

function turnOf({ from, value }: Row, at: string): ChatMessage | RowFault {
  if (typeof from !== 'string' || !Object.hasOwn(SPEAKERS, from)) {
    const found = typeof from === 'string' ? JSON.stringify(from) : kindOf(from ?? null);
    const known = Object.keys(SPEAKERS).join(', ');
    return new RowFault('wrong_type', `${at}/from is ${found}, must be one of ${known}`);
  }
  if (typeof value !== 'string') return mustBe(`${at}/value`, value ?? null, 'a string');
  const role = SPEAKERS[from] ?? 'user';
  if (role === 'assistant' && value.trim() === '') return new RowFault('empty', `${at}/value is empty`);
  return { role, content: value };
}

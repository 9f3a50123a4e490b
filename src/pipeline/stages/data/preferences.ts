/** Rows of preferences, in the shapes that data sets have them, as one prompt with two answers, or with one that is judged. */
import { isJson, type Json } from '../../../language/host/json.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { OwnName } from './column-names.js';
import { SPEAKERS } from './conversations.js';
import { type Row, RowFault } from './parse-row.js';
import { idsIn } from './token-ids.js';

/** A text, or messages. */
export type Said = string | readonly Json[];

export type Preference =
  | { readonly prompt: Said; readonly chosen: Said; readonly rejected: Said }
  | { readonly prompt: Said; readonly completion: Said; readonly isGood: boolean };

/**
 * Shapes: `prompt`, `chosen`, `rejected` as texts or messages (TRL); chosen and rejected as whole chats, with the question
 * as `prompt` or without (UltraFeedback); whole dialogues as text (HH); `system`, `question`, `chosen`, `rejected` (Orca
 * pairs); `prompt`, `completion`, `label` (KTO); whole chats as `messages` with a `label`, which judges the last answer
 * (LLaMA-Factory's KTO). Messages may be those of ShareGPT.
 */
export function preferenceOf(row: Row, own: OwnName): Preference | RowFault {
  const has = (name: string): boolean => (row[name] ?? undefined) !== undefined;
  if (has('chosen')) return pair(row, own);
  if (has('completion')) return judged(row, own);
  return has('messages') && has('label') ? judgedChat(row, own) : pair(row, own);
}

/** Whether a label judges a whole chat. */
export const isJudgedChat = (row: Row): boolean =>
  Array.isArray(row['messages']) && JUDGEMENTS.has(row['label']);

function judgedChat(row: Row, own: OwnName): Preference | RowFault {
  const chat = said(row, 'messages', own);
  if (chat instanceof RowFault) return chat;
  const messages = typeof chat === 'string' ? [] : (chat ?? []);
  const answered = messages.findLastIndex(({ role }) => role !== 'assistant') + 1;
  if (answered === 0 || answered === messages.length)
    return new RowFault('wrong_type', `/${own('messages')} must be a chat that ends with an answer`);
  const isGood = judgementOf(row, own);
  if (isGood instanceof RowFault) return isGood;
  return { prompt: messages.slice(0, answered), completion: messages.slice(answered), isGood };
}

function judged(row: Row, own: OwnName): Preference | RowFault {
  const prompt = promptOf(row, own);
  if (prompt instanceof RowFault) return prompt;
  if (prompt === undefined) return missing('prompt', own);
  const completion = said(row, 'completion', own);
  if (completion instanceof RowFault) return completion;
  if (completion === undefined) return missing('completion', own);
  const isGood = judgementOf(row, own);
  if (isGood instanceof RowFault) return isGood;
  const [asked = '', answered = ''] = inOneForm(prompt, [completion]);
  return { prompt: asked, completion: answered, isGood };
}

function judgementOf(row: Row, own: OwnName): boolean | RowFault {
  const label = row['label'] ?? undefined;
  if (label === undefined) return missing('label', own);
  return JUDGEMENTS.get(label) ?? new RowFault('wrong_type', `/${own('label')} must be true or false`);
}

/** How data sets write whether an answer is good. */
const JUDGEMENTS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  [1, true],
  [0, false],
  [-1, false],
  ['true', true],
  ['false', false],
]);

function pair(row: Row, own: OwnName): Preference | RowFault {
  const [chosen, rejected] = [said(row, 'chosen', own), said(row, 'rejected', own)];
  if (chosen instanceof RowFault) return chosen;
  if (rejected instanceof RowFault) return rejected;
  if (chosen === undefined) return missing('chosen', own);
  if (rejected === undefined) return missing('rejected', own);
  const prompt = promptOf(row, own);
  if (prompt instanceof RowFault) return prompt;
  const found =
    prompt === undefined || isWholeChat(chosen) ? split(chosen, rejected) : { prompt, chosen, rejected };
  if (found === undefined)
    return new RowFault(
      'wrong_type',
      `\`${own('chosen')}\` and \`${own('rejected')}\` do not begin with the same prompt`,
    );
  const [asked = '', ...answers] = inOneForm(found.prompt, [found.chosen, found.rejected]);
  const [better = '', worse = ''] = answers;
  return JSON.stringify(better) === JSON.stringify(worse)
    ? new RowFault('wrong_type', `\`${own('chosen')}\` and \`${own('rejected')}\` are the same`)
    : { prompt: asked, chosen: better, rejected: worse };
}

/** A chat that holds its question: answers begin with the assistant. */
const isWholeChat = (answer: Said): boolean =>
  typeof answer !== 'string' && answer[0]?.['role'] !== 'assistant';

/** What both begin with is the prompt; a prompt that the row has as well is the question of the same chat. */
function split(chosen: Said, rejected: Said): Extract<Preference, { chosen: Said }> | undefined {
  if (typeof chosen === 'string' || typeof rejected === 'string')
    return typeof chosen === 'string' && typeof rejected === 'string'
      ? splitTexts(chosen, rejected)
      : undefined;
  let shared = 0;
  const most = Math.min(chosen.length, rejected.length) - 1;
  while (shared < most && JSON.stringify(chosen[shared]) === JSON.stringify(rejected[shared])) shared++;
  return shared === 0
    ? undefined
    : { prompt: chosen.slice(0, shared), chosen: chosen.slice(shared), rejected: rejected.slice(shared) };
}

/** The mark before an answer in a dialogue of HH. */
const ASSISTANT = '\n\nAssistant:';

function splitTexts(chosen: string, rejected: string): Extract<Preference, { chosen: Said }> | undefined {
  let shared = 0;
  while (shared < Math.min(chosen.length, rejected.length) && chosen[shared] === rejected[shared]) shared++;
  const last = chosen.slice(0, shared).lastIndexOf(ASSISTANT);
  // dialogues whose first questions differ
  if (last < 0 && chosen.includes(ASSISTANT) && rejected.includes(ASSISTANT)) return undefined;
  // without a mark, the prompt ends with the last word that both have, as in TRL
  const end = last < 0 ? chosen.slice(0, shared).search(/\s\S*$/) : last + ASSISTANT.length;
  return end <= 0
    ? undefined
    : { prompt: chosen.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) };
}

/** The prompt, or the question of Orca's pairs with its system message. */
function promptOf(row: Row, own: OwnName): Said | RowFault | undefined {
  const { question, system } = row;
  if ((row['prompt'] ?? undefined) !== undefined || typeof question !== 'string')
    return said(row, 'prompt', own);
  const before =
    typeof system === 'string' && system.trim() !== '' ? [{ role: 'system', content: system }] : [];
  return [...before, { role: 'user', content: question }];
}

function said(row: Row, usual: string, own: OwnName): Said | RowFault | undefined {
  const value = row[usual] ?? undefined;
  const name = own(usual);
  if (value === undefined) return undefined;
  if (typeof value === 'string')
    return value.trim() === '' ? new RowFault('empty', `\`${name}\` is empty`) : value;
  if (isJson(value)) return [asSpoken(value)];
  if (!Array.isArray(value))
    return new RowFault('wrong_type', `/${name} must be a text or a list of messages`);
  if (value.length === 0) return new RowFault('empty', `\`${name}\` is empty`);
  const wrong = value.findIndex((message) => !isJson(message));
  return wrong < 0
    ? (value as readonly Json[]).map(asSpoken)
    : new RowFault('wrong_type', `/${name}/${wrong} must be an object`);
}

/** A message of ShareGPT, `{ "from", "value" }`, as another one. */
function asSpoken(message: Json): Json {
  const { from, value } = message;
  const role = typeof from === 'string' && message['role'] === undefined ? lookUp(SPEAKERS, from) : undefined;
  return role === undefined ? message : { role, content: value ?? null };
}

/** Where one of them is messages, all are: a text is what the user asks, or the assistant answers. */
function inOneForm(prompt: Said, answers: readonly Said[]): readonly Said[] {
  if ([prompt, ...answers].every((each) => typeof each === 'string')) return [prompt, ...answers];
  return [asMessages(prompt, 'user'), ...answers.map((answer) => asMessages(answer, 'assistant'))];
}

const asMessages = (said: Said, role: string): Said =>
  typeof said === 'string' ? [{ role, content: said }] : said;

const missing = (usual: string, own: OwnName): RowFault =>
  new RowFault('missing_column', `no column \`${own(usual)}\``);

type Ids = readonly number[];

/** The same of rows that are tokenized: `prompt_ids`, and `chosen_ids` and `rejected_ids`, or `completion_ids` and `label`. */
export function tokenPreferenceOf(
  row: Row,
  vocabulary: number,
  own: OwnName,
):
  | { readonly prompt: Ids; readonly chosen: Ids; readonly rejected: Ids }
  | { readonly prompt: Ids; readonly completion: Ids; readonly isGood: boolean }
  | RowFault {
  const read = (usual: string): Ids | RowFault => listOfIds(row, usual, vocabulary, own);
  const prompt = read('prompt_ids');
  if (prompt instanceof RowFault) return prompt;
  if ((row['completion_ids'] ?? undefined) !== undefined && (row['chosen_ids'] ?? undefined) === undefined) {
    const completion = read('completion_ids');
    if (completion instanceof RowFault) return completion;
    const isGood = judgementOf(row, own);
    return isGood instanceof RowFault ? isGood : { prompt, completion, isGood };
  }
  const [chosen, rejected] = [read('chosen_ids'), read('rejected_ids')];
  if (chosen instanceof RowFault) return chosen;
  return rejected instanceof RowFault ? rejected : { prompt, chosen, rejected };
}

function listOfIds(row: Row, usual: string, vocabulary: number, own: OwnName): Ids | RowFault {
  const ids = idsIn(row, own, usual);
  if (ids instanceof RowFault) return ids;
  if (ids.length === 0) return new RowFault('empty', `\`${own(usual)}\` is empty`);
  const wrong = ids.findIndex((id) => id >= vocabulary);
  if (wrong < 0) return ids;
  const detail = `/${own(usual)}/${wrong} is ${ids[wrong]}, but the model has only ${vocabulary} tokens`;
  return new RowFault('wrong_type', detail);
}

import { nearest } from '../../../language/diagnostics/did-you-mean.js';
import { exactText } from '../../../language/host/exact-json.js';
import { mayBeMissing } from '../../../language/schemas/functions/source.js';
import { type Columns, type OwnName, ownNames } from './column-names.js';
import { type Chat, chatOf, type Turn } from './conversations.js';
import { hash96 } from './hashes.js';
import { mustBe, type Row, RowFault } from './parse-row.js';
import { isJudgedChat, preferenceOf, tokenPreferenceOf } from './preferences.js';
import { idsOf } from './token-ids.js';

/** What a row says, whatever its columns are called: what repetitions and contradictions are told by. */
export interface RowContent {
  /** `undefined` for plain text, which asks nothing. */
  readonly question?: readonly string[];
  readonly answer: string;
  /**
   * It says which answer is better, or whether one is good: of two that contradict each other, one takes back what the
   * other teaches.
   */
  readonly isPreference?: boolean;
}

interface RowShape {
  /** Columns of which one marks the shape. */
  readonly marks: readonly string[];
  readonly read: (row: Row, own: OwnName) => RowContent | RowFault;
}

/** What rows may look like; of several, the first that is whole counts. */
const SHAPES: readonly RowShape[] = [
  {
    marks: ['messages'],
    read: (row, own) => (isJudgedChat(row) ? readPreference(row, own) : ofChat(chatOf(row, 'messages', own))),
  },
  {
    marks: ['instruction', 'output'],
    read: (row, own) => readPair(row, own, ['instruction', 'output', 'input']),
  },
  { marks: ['chosen'], read: readPreference },
  { marks: ['chosen_ids', 'completion_ids'], read: readTokenPreference },
  { marks: ['label'], read: readJudged },
  { marks: ['text'], read: readText },
  { marks: ['prompt', 'completion'], read: (row, own) => readPair(row, own, ['prompt', 'completion']) },
  { marks: ['conversations'], read: (row, own) => ofChat(chatOf(row, 'conversations', own)) },
  { marks: ['input_ids'], read: readIds },
  { marks: ['choices', 'endings', 'option1'], read: readChoices },
  { marks: ['question', 'answer'], read: (row, own) => readPair(row, own, ['question', 'answer']) },
];

/** The row under usual names; columns that are called otherwise keep their own names too. */
export function renamed(row: Row, columns: Columns): Row {
  const entries = Object.entries(columns).filter(([usual, own]) => usual !== own);
  if (entries.length === 0) return row;
  const named: Record<string, unknown> = { ...row };
  for (const [usual, own] of entries) {
    if (Object.hasOwn(row, own)) named[usual] = row[own];
    else delete named[usual];
  }
  for (const { asked, instead } of RIVALS)
    if (!Object.hasOwn(columns, instead) && asked.some((usual) => Object.hasOwn(columns, usual)))
      delete named[instead];
  return named;
}

/** Columns that a template reads where they are there, and not those that the source maps for it. */
const RIVALS: readonly { readonly asked: readonly string[]; readonly instead: string }[] = [
  { asked: ['instruction', 'output'], instead: 'messages' },
  { asked: ['prompt', 'completion'], instead: 'text' },
  { asked: ['question'], instead: 'prompt' },
];

/** Reads what a row says, or why it says nothing. `row` has usual names; columns that were asked for must be there. */
export function contentOf(row: Row, columns: Columns): RowContent | RowFault {
  const asked = missingOf(row, columns);
  if (asked !== undefined) return asked;
  const own = ownNames(columns);
  const present = SHAPES.filter(({ marks }) => marks.some((mark) => has(row, mark)));
  let first: RowFault | undefined;
  for (const shape of present) {
    const content = shape.read(row, own);
    if (!(content instanceof RowFault)) return content;
    first ??= content;
  }
  if (first !== undefined) return first;
  const found = Object.keys(row).slice(0, 8);
  const hint = found.length === 0 ? 'it has none' : `it has ${found.map((name) => `\`${name}\``).join(', ')}`;
  return new RowFault(
    'missing_column',
    `no column \`instruction\`, \`messages\`, \`conversations\`, \`text\` or \`input_ids\`: ${hint}`,
  );
}

function missingOf(row: Row, columns: Columns): RowFault | undefined {
  for (const [usual, own] of Object.entries(columns))
    if (!mayBeMissing(usual) && !has(row, usual)) {
      const near = nearest(own, Object.keys(row));
      const meant = near === undefined ? '' : `: did you mean \`${near}\`?`;
      return new RowFault('missing_column', `no column \`${own}\`${meant}`);
    }
  return undefined;
}

const has = (row: Row, name: string): boolean => Object.hasOwn(row, name);

function text(row: Row, usual: string, own: OwnName): string | RowFault {
  const name = own(usual);
  if (!has(row, usual)) return new RowFault('missing_column', `no column \`${name}\``);
  const value = row[usual];
  if (typeof value !== 'string') return mustBe(`/${name}`, value, 'a string');
  if (value.trim() === '') return new RowFault('empty', `\`${name}\` is empty`);
  return value;
}

function readPair(
  row: Row,
  own: OwnName,
  [question, answer, about]: readonly [string, string, string?],
): RowContent | RowFault {
  const asked = text(row, question, own);
  if (typeof asked !== 'string') return asked;
  const input = (about === undefined ? undefined : row[about]) ?? '';
  if (typeof input !== 'string') return mustBe(`/${own(about ?? '')}`, input, 'a string');
  const answered = text(row, answer, own);
  if (typeof answered !== 'string') return answered;
  return { question: [asked, input], answer: answered };
}

function readText(row: Row, own: OwnName): RowContent | RowFault {
  const whole = text(row, 'text', own);
  return typeof whole === 'string' ? { answer: whole } : whole;
}

/** A label judges a completion where there is one, and else says what a text is about. */
function readJudged(row: Row, own: OwnName): RowContent | RowFault {
  return (has(row, 'completion') && !has(row, 'text') ? readPreference : readLabelled)(row, own);
}

/** The same two answers in another order are a contradiction; the same prompt may have several pairs. */
function readPreference(row: Row, own: OwnName): RowContent | RowFault {
  const found = preferenceOf(row, own);
  return found instanceof RowFault ? found : contentOfPreference(found);
}

function readTokenPreference(row: Row, own: OwnName): RowContent | RowFault {
  const found = tokenPreferenceOf(row, Number.POSITIVE_INFINITY, own);
  return found instanceof RowFault ? found : contentOfPreference(found);
}

/** A prompt and its answers in whatever form: what is asked is which of them is better, or whether one is good. */
function contentOfPreference(found: Compared | Judged): RowContent {
  const text = (said: unknown): string => (typeof said === 'string' ? said : JSON.stringify(said));
  const prompt = text(found.prompt);
  if ('completion' in found)
    return { question: [prompt, text(found.completion)], answer: String(found.isGood), isPreference: true };
  const answers = [text(found.chosen), text(found.rejected)];
  return { question: [prompt, ...answers.toSorted()], answer: answers[0] ?? '', isPreference: true };
}

interface Compared {
  readonly prompt: unknown;
  readonly chosen: unknown;
  readonly rejected: unknown;
}

interface Judged {
  readonly prompt: unknown;
  readonly completion: unknown;
  readonly isGood: boolean;
}

/** The same text with another label is a contradiction, and no repetition. */
function readLabelled(row: Row, own: OwnName): RowContent | RowFault {
  const { label } = row;
  const whole = text(row, 'text', own);
  if (typeof whole !== 'string') return whole;
  if (label === null || typeof label === 'object')
    return mustBe(`/${own('label')}`, label, 'a string or number');
  return { question: [whole], answer: String(label) };
}

/** A question, what there is to choose from, and which of it is right: in the columns of MMLU, ARC, HellaSwag or Winogrande. */
function readChoices(row: Row, own: OwnName): RowContent | RowFault {
  const column = ['question', 'ctx_a', 'sentence'].find((usual) => has(row, usual)) ?? 'question';
  const asked = text(row, column, own);
  if (typeof asked !== 'string') return asked;
  const choices = [row['choices'] ?? row['endings'] ?? [row['option1'], row['option2']], row['ctx_b']];
  const right = row['answer'] ?? row['answerKey'] ?? row['label'];
  return { question: [asked, JSON.stringify(choices)], answer: JSON.stringify(right ?? null) };
}

/** The last answer, and all that is before it; the tools belong to what is asked. */
function ofChat(chat: Chat | RowFault): RowContent | RowFault {
  if (chat instanceof RowFault) return chat;
  const { turns, tools } = chat;
  const described = tools.length === 0 ? [] : [exactText(tools)];
  const lines = [...described, ...turns.map((turn) => `${turn.message.role}\n${saidIn(turn)}`)];
  const last = turns.findLastIndex(({ message }) => message.role === 'assistant');
  const turn = turns[last];
  if (turn === undefined) return { answer: lines.join('\n') };
  return { question: lines.slice(0, described.length + last), answer: saidIn(turn) };
}

/** The text of a turn, and its calls: without what identifies them, which differs between copies. */
function saidIn({ message: { content, tool_calls: calls = [] }, asText }: Turn): string {
  if (calls.length === 0) return content;
  return asText ?? [content, ...calls.map((call) => exactText(call['function']))].join('\n');
}

function readIds(row: Row, own: OwnName): RowContent | RowFault {
  const found = idsOf(row, own);
  if (found instanceof RowFault) return found;
  // the same ids with other labels teach something else
  return { answer: `${found.ids.join(' ')}\n${found.labels?.join(' ') ?? ''}` };
}

/** What a row says, as keys: equal where texts are equal except for white space. */
export interface RowIdentity {
  readonly key: string;
  readonly whole: readonly [number, number];
  /** `undefined` if nothing is asked. */
  readonly question: readonly [number, number] | undefined;
}

/** The text that tells a row from others, the hash of that, and the hash of its question; white space does not count. */
export function identityOf({ question, answer }: RowContent): RowIdentity {
  const asked = JSON.stringify((question ?? []).map(plain));
  const key = `${asked}\n${plain(answer)}`;
  return { key, whole: hash96(key), question: question === undefined ? undefined : hash96(asked) };
}

/** White space becomes one space. Single spaces are passed over: a long row has millions, and a replacement takes memory. */
const plain = (text: string): string => text.replace(/[^\S ]\s*| \s+/g, ' ').trim();

/** Question and answer as one text: what near copies are told by. */
export const wholeText = ({ question, answer }: RowContent): string =>
  [...(question ?? []), answer].join('\n');

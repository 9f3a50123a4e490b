import type { Call, FileValue, Value } from '../../ir/types.js';
import type { ChatMessage, ChatTemplate } from '../../models/types.js';

/** A row as text, with the parts that are answers. */
export interface Rendered {
  readonly text: string;
  /** UTF-16 offsets into `text`, in order, end exclusive; the end token of an answer belongs to it. */
  readonly answers: readonly { readonly start: number; readonly end: number }[];
  /** What the model is given when it is to answer, and the answer it should give, without end token. */
  readonly prompt: string;
  readonly answer: string;
}

/** A row that the template cannot write out. */
export class RowProblem extends Error {
  override readonly name = 'RowProblem';
  constructor(
    readonly reason: 'missing_column' | 'wrong_type' | 'empty' | 'no_supervised_token',
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** What a template may use besides the row. */
export interface RenderContext {
  readonly chat?: ChatTemplate;
  readonly beginToken: string;
  readonly endToken: string;
}

type Row = Readonly<Record<string, unknown>>;
type Render = (row: Row, context: RenderContext, args: Call['args']) => Rendered;

/** Every function of the `template` family. Throws a {@link RowProblem}. */
const renderers: Readonly<Record<string, Render>> = {
  chat: renderChat,
  alpaca: renderAlpaca,
  completion: renderCompletion,
};

export const needsChatTemplate = (template: Call): boolean => template.call === 'chat';

export function renderRow(template: Call, row: Row, context: RenderContext): Rendered {
  const render = renderers[template.call];
  if (render === undefined) throw new Error(`no renderer for the template ${template.call}`);
  return render(row, context, template.args);
}

function renderChat(row: Row, { chat, endToken }: RenderContext, args: Call['args']): Rendered {
  if (chat === undefined) throw new Error('a chat was rendered without a chat template');
  const messages = withSystem(messagesOf(row), systemText(args['system']));
  const turns = messages.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
  const last = turns.at(-1);
  if (last === undefined) throw new RowProblem('no_supervised_token', 'no message is the assistant’s');
  const text = chat.render(messages);
  const answers = turns.map((turn) => {
    const prompt = chat.render(messages.slice(0, turn), { addGenerationPrompt: true });
    const through = endOfAnswer(chat.render(messages.slice(0, turn + 1)), endToken);
    if (!text.startsWith(prompt) || !text.startsWith(through) || through.length < prompt.length)
      throw new RowProblem(
        'no_supervised_token',
        `the chat template writes message ${turn + 1} differently when others follow, so its answer can't be told from the prompt`,
      );
    return { start: prompt.length, end: through.length };
  });
  const first = answers.at(-1);
  return {
    text,
    answers,
    prompt: text.slice(0, first?.start ?? 0),
    answer: messages[last]?.content ?? '',
  };
}

/** The text through the answer's end token: white space that a template writes after it is no part of the answer. */
function endOfAnswer(text: string, endToken: string): string {
  const at = endToken === '' ? -1 : text.lastIndexOf(endToken);
  return at >= 0 && text.slice(at + endToken.length).trim() === ''
    ? text.slice(0, at + endToken.length)
    : text;
}

function systemText(system: Value | undefined): string | undefined {
  if (system === undefined || system === null) return undefined;
  const text = typeof system === 'string' ? system : (system as FileValue).text;
  return text.trim() === '' ? undefined : text.trim();
}

function withSystem(messages: readonly ChatMessage[], system: string | undefined): readonly ChatMessage[] {
  return system === undefined || messages[0]?.role === 'system'
    ? messages
    : [{ role: 'system', content: system }, ...messages];
}

const ROLES: readonly string[] = ['system', 'user', 'assistant'];

function messagesOf(row: Row): readonly ChatMessage[] {
  const given = row['messages'];
  if (given === undefined)
    return [
      { role: 'user', content: question(row) },
      { role: 'assistant', content: column(row, 'output') },
    ];
  if (!Array.isArray(given)) throw new RowProblem('wrong_type', '`messages` is no list');
  return given.map((message: unknown, index) => {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    if (typeof role !== 'string' || !ROLES.includes(role))
      throw new RowProblem('wrong_type', `message ${index + 1} has no role among ${ROLES.join(', ')}`);
    if (typeof content !== 'string')
      throw new RowProblem('wrong_type', `message ${index + 1} has no text in \`content\``);
    if (role === 'assistant' && content.trim() === '')
      throw new RowProblem('empty', `message ${index + 1}, the assistant's, is empty`);
    return { role: role as ChatMessage['role'], content };
  });
}

function question(row: Row): string {
  const input = row['input'];
  const instruction = column(row, 'instruction');
  return typeof input === 'string' && input.trim() !== '' ? `${instruction}\n\n${input}` : instruction;
}

/** The layout of the Alpaca data set: https://github.com/tatsu-lab/stanford_alpaca */
function renderAlpaca(row: Row, { beginToken, endToken }: RenderContext): Rendered {
  const input = row['input'];
  const output = column(row, 'output');
  const about = typeof input === 'string' && input.trim() !== '' ? `### Input:\n${input}\n\n` : '';
  const prompt = `${beginToken}### Instruction:\n${column(row, 'instruction')}\n\n${about}### Response:\n`;
  return answered(prompt, output, endToken);
}

function renderCompletion(row: Row, { beginToken, endToken }: RenderContext): Rendered {
  if (row['text'] === undefined && row['prompt'] !== undefined)
    return answered(beginToken + column(row, 'prompt'), column(row, 'completion'), endToken);
  return answered(beginToken, column(row, 'text'), endToken);
}

function answered(prompt: string, answer: string, endToken: string): Rendered {
  const text = prompt + answer + endToken;
  return { text, answers: [{ start: prompt.length, end: text.length }], prompt, answer };
}

function column(row: Row, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw new RowProblem('missing_column', `no column \`${name}\``);
  if (typeof value !== 'string') throw new RowProblem('wrong_type', `\`${name}\` is no text`);
  if (value.trim() === '') throw new RowProblem('empty', `\`${name}\` is empty`);
  return value;
}

import { alpacaPreamble } from '../../../compute/models/chat-template/alpaca.js';
import { withSystem } from '../../../compute/models/training-prompt.js';
import {
  type ChatMessage,
  type ChatTemplate,
  ExcessiveTemplateError,
  ModelError,
} from '../../../compute/models/types.js';
import type { Call, Value } from '../../../language/ir/program.js';
import { isReadFile } from '../../../language/ir/values.js';
import type { OwnName } from '../data/column-names.js';
import { turnsOf } from '../data/conversations.js';
import { RowFault } from '../data/parse-row.js';
import { examplesBefore } from './examples.js';
import {
  optionalText,
  type RenderContext,
  type RenderedRow,
  type Row,
  RowProblem,
  text,
} from './rendered-row.js';

type Render = (row: Row, context: RenderContext, args: Call['args']) => RenderedRow;

/** Every function of the `template` family that makes text of rows. Throws a `RowProblem`. */
const renderers: Readonly<Record<string, Render>> = {
  chat: renderChat,
  sharegpt: renderConversation,
  alpaca: renderAlpaca,
  completion: renderCompletion,
  question_answer: renderQuestion,
};

/** The function whose rows are tokens already. */
export const TOKENS = 'tokens';

const CHATS: ReadonlySet<Render | undefined> = new Set([renderChat, renderConversation]);

export const needsChatTemplate = ({ call }: Call): boolean => CHATS.has(renderers[call]);

export function renderRow(template: Call, row: Row, context: RenderContext): RenderedRow {
  const render = renderers[template.call];
  if (render === undefined) throw new Error(`no renderer for the template ${template.call}`);
  return render(row, context, template.args);
}

/** The layout of the Alpaca data set: https://github.com/tatsu-lab/stanford_alpaca */
function renderAlpaca(row: Row, { endToken, own }: RenderContext, args: Call['args']): RenderedRow {
  const instruction = text(row, 'instruction', own);
  const input = optionalText(row, 'input', own);
  const output = text(row, 'output', own);
  const about = input === undefined ? '' : `### Input:\n${input}\n\n`;
  const preamble = args['preamble'] === true ? `${alpacaPreamble(input !== undefined)}\n\n` : '';
  const prompt = `${preamble}### Instruction:\n${instruction}\n\n${about}### Response:\n`;
  return answered(prompt, output, endToken, [instruction, input ?? '', output]);
}

function renderCompletion(row: Row, { endToken, own }: RenderContext): RenderedRow {
  if (row['text'] == null && row['prompt'] != null) {
    const [prompt, completion] = [text(row, 'prompt', own), text(row, 'completion', own)];
    return answered(prompt, completion, endToken, [prompt, completion]);
  }
  const whole = text(row, 'text', own);
  return answered('', whole, endToken, [whole]);
}

/** GSM8K as lm-evaluation-harness writes it: the answer is continued after `Answer:`. */
function renderQuestion(
  row: Row,
  { endToken, own, examples }: RenderContext,
  args: Call['args'],
): RenderedRow {
  const asked = (of: Row): string => `Question: ${text(of, 'question', own)}\nAnswer:`;
  const answer = text(row, 'answer', own);
  const before = examplesBefore(
    row,
    Number(args['few_shot']),
    examples,
    (example) => `${asked(example)} ${text(example, 'answer', own)}`,
  );
  const prompt = before + asked(row);
  return { ...answered(prompt, ` ${answer}`, endToken, [text(row, 'question', own), answer]), answer };
}

function answered(prompt: string, answer: string, endToken: string, given: readonly string[]): RenderedRow {
  // A text may bring its own end: a chat that was rendered before, say.
  const whole = prompt + answer + (answer.endsWith(endToken) ? '' : endToken);
  return {
    text: whole,
    answers: [{ start: prompt.length, end: whole.length }],
    prompt,
    answer,
    begins: true,
    given,
  };
}

/** A row by the model's own chat template, every answer of the assistant with its border. */
function renderChat(row: Row, context: RenderContext, args: Call['args']): RenderedRow {
  return renderMessages(messagesOf(row, context.own), context, args);
}

/** A row of ShareGPT; a column `system` takes precedence over the one of the template. */
function renderConversation(row: Row, context: RenderContext, args: Call['args']): RenderedRow {
  const turns = turnsOf(row, context.own('conversations'));
  if (turns instanceof RowFault) throw new RowProblem(turns.reason, turns.detail);
  return renderMessages(withSystem(turns, optionalText(row, 'system', context.own)), context, args);
}

function renderMessages(
  given: readonly ChatMessage[],
  context: RenderContext,
  args: Call['args'],
): RenderedRow {
  const { chat, lossOn } = context;
  if (chat === undefined) throw new Error('a chat was rendered without a chat template');
  const messages = withSystem(given, systemText(args['system']));
  const turns = messages.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
  if (turns.length === 0 && lossOn === 'assistant')
    throw new RowProblem('no_supervised_token', 'there is no message from the assistant');
  const whole = write(chat, messages);
  const answers = turns.flatMap((turn) => {
    const border = borderOf(whole, messages, turn, chat, context.turnEnds);
    if (border !== undefined) return [{ ...border, turn }];
    // Without a mask no border is needed; there is only nothing to ask the model.
    if (lossOn === 'all') return [];
    throw new RowProblem(
      'no_supervised_token',
      `the chat template renders message ${turn + 1} differently when others follow, so its answer cannot be separated from the prompt`,
    );
  });
  const last = answers.at(-1);
  const [first] = messages;
  return {
    text: whole,
    answers,
    prompt: last === undefined ? '' : whole.slice(0, last.start),
    answer: last === undefined ? '' : (messages[last.turn]?.content ?? ''),
    begins: false,
    ...(first?.role === 'system' ? { system: first.content } : {}),
    given: given.map(({ content }) => content),
  };
}

/**
 * Where the answer of a turn begins and ends: after what the model is given when it is to write that turn, and with
 * what is there when the turn is the last. `undefined` if either is no beginning of the whole.
 */
function borderOf(
  whole: string,
  messages: readonly ChatMessage[],
  turn: number,
  chat: ChatTemplate,
  turnEnds: readonly string[],
): { readonly start: number; readonly end: number } | undefined {
  const prompt = write(chat, messages.slice(0, turn), true);
  const through = endOfAnswer(write(chat, messages.slice(0, turn + 1)), whole, turnEnds);
  return through !== undefined && whole.startsWith(prompt) && through.length >= prompt.length
    ? { start: prompt.length, end: through.length }
    : undefined;
}

/**
 * The text through the answer's end token: white space that a template writes after it is not a part of the answer, nor is
 * the end of the whole chat, which Phi-3 writes after the last answer alone. `undefined` if the whole begins otherwise.
 */
function endOfAnswer(turn: string, whole: string, turnEnds: readonly string[]): string | undefined {
  const trimmed = turn.trimEnd();
  const token = turnEnds.find((end) => trimmed.endsWith(end));
  if (whole.startsWith(token === undefined ? turn : trimmed)) return token === undefined ? turn : trimmed;
  if (token === undefined) return undefined;
  const before = trimmed.slice(0, -token.length).trimEnd();
  return turnEnds.some((end) => before.endsWith(end)) ? endOfAnswer(before, whole, turnEnds) : undefined;
}

/** A template may refuse a chat, say one whose roles don't alternate: that is the row's fault, not the model's. */
function write(chat: ChatTemplate, messages: readonly ChatMessage[], addGenerationPrompt = false): string {
  try {
    return chat.render(messages, { addGenerationPrompt });
  } catch (error) {
    if (error instanceof ModelError && !(error instanceof ExcessiveTemplateError))
      throw new RowProblem('wrong_type', error.detail);
    throw error;
  }
}

function systemText(system: Value | undefined): string | undefined {
  const content = isReadFile(system) ? system.text : typeof system === 'string' ? system : '';
  return content.trim() === '' ? undefined : content.trim();
}

const ROLES: readonly string[] = ['system', 'user', 'assistant'];

function messagesOf(row: Row, own: OwnName): readonly ChatMessage[] {
  const given = row['messages'] ?? undefined;
  if (given === undefined)
    return [
      { role: 'user', content: question(row, own) },
      { role: 'assistant', content: text(row, 'output', own) },
    ];
  if (!Array.isArray(given)) throw new RowProblem('wrong_type', `\`${own('messages')}\` is not a list`);
  if (given.length === 0) throw new RowProblem('empty', `\`${own('messages')}\` is empty`);
  return given.map(messageOf);
}

function messageOf(message: unknown, index: number): ChatMessage {
  const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
  if (typeof role !== 'string' || !ROLES.includes(role))
    throw new RowProblem('wrong_type', `message ${index + 1} has no role among ${ROLES.join(', ')}`);
  if (typeof content !== 'string')
    throw new RowProblem('wrong_type', `message ${index + 1} has no text in \`content\``);
  if (role === 'assistant' && content.trim() === '')
    throw new RowProblem('empty', `message ${index + 1}, the assistant's, is empty`);
  return { role: role as ChatMessage['role'], content };
}

function question(row: Row, own: OwnName): string {
  const instruction = text(row, 'instruction', own);
  const input = optionalText(row, 'input', own);
  return input === undefined ? instruction : `${instruction}\n\n${input}`;
}

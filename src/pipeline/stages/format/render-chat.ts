/** Rows of chats as text, by the model's own template or a style. */
import { writesCalls, writesTools } from '../../../compute/models/chat-template/index.js';
import { withSystem } from '../../../compute/models/training-prompt.js';
import { type ChatMessage, ExcessiveTemplateError, ModelError } from '../../../compute/models/types.js';
import type { Json } from '../../../language/host/json.js';
import type { Call, Value } from '../../../language/ir/program.js';
import { isReadFile } from '../../../language/ir/values.js';
import type { OwnName } from '../data/column-names.js';
import { type Chat, chatOf, type Turn } from '../data/conversations.js';
import { RowFault } from '../data/parse-row.js';
import { type Border, bordersIn, type Write } from './answer-borders.js';
import {
  optionalText,
  type RenderContext,
  type RenderedRow,
  type Row,
  RowProblem,
  text,
} from './rendered-row.js';

/** A row by the model's own chat template, every answer of the assistant with its border. */
export function renderChat(row: Row, context: RenderContext, args: Call['args']): RenderedRow {
  const { own } = context;
  if ((row['messages'] ?? undefined) !== undefined)
    return renderTurns(chatIn(row, 'messages', own), context, args);
  const turns = [
    { message: { role: 'user', content: question(row, own) } },
    { message: { role: 'assistant', content: text(row, 'output', own) } },
  ] as const;
  return renderTurns({ turns, tools: [] }, context, args);
}

/** A row of ShareGPT; a column `system` takes precedence over the one of the template. */
export function renderConversation(row: Row, context: RenderContext, args: Call['args']): RenderedRow {
  const chat = chatIn(row, 'conversations', context.own);
  return renderTurns(chat, context, args, optionalText(row, 'system', context.own));
}

function chatIn(row: Row, column: 'messages' | 'conversations', own: OwnName): Chat {
  const chat = chatOf(row, column, own);
  if (chat instanceof RowFault) throw new RowProblem(chat.reason, chat.detail);
  return chat;
}

function question(row: Row, own: OwnName): string {
  const instruction = text(row, 'instruction', own);
  const input = optionalText(row, 'input', own);
  return input === undefined ? instruction : `${instruction}\n\n${input}`;
}

/** A turn of the whole chat, with the system message before it. */
interface Answered extends Border {
  readonly turn: number;
  readonly weight: number;
}

function renderTurns(
  { turns: given, tools }: Chat,
  context: RenderContext,
  args: Call['args'],
  system?: string,
): RenderedRow {
  const { lossOn, turnEnds } = context;
  const write = writer(context, tools);
  const turns = given.map((turn) => asWritten(turn, context));
  const own = turns.map(({ message }) => message);
  const messages = withSystem(withSystem(own, system), systemText(args['system']));
  const shift = messages.length - own.length;
  checkWeights(turns, lossOn);
  const whole = write(messages);
  const borderOf = bordersIn(whole, { messages, write, turnEnds });
  const last = own.findLastIndex(({ role }) => role === 'assistant');
  const answers = turns.flatMap(({ message, weight = 1 }, index): readonly Answered[] => {
    if (message.role !== 'assistant' || (index !== last && (lossOn === 'last' || weight === 0))) return [];
    const border = borderOf(index + shift);
    // V8 keeps objects that get more properties after a copy of others, until it looks for what has grown old
    if (border !== undefined) return [{ turn: index, weight, ...border }];
    // Without a mask no border is needed; there is only nothing to ask the model.
    if (lossOn === 'all' || weight === 0) return [];
    throw unseparated(index + shift);
  });
  return rendered(whole, answers, { messages, given, turns: own, tools, context });
}

/** Rows in which nothing could be trained on, and weights that would not be heeded. */
function checkWeights(turns: readonly Turn[], lossOn: RenderContext['lossOn']): void {
  const isAnswer = ({ message }: Turn): boolean => message.role === 'assistant';
  if (lossOn !== 'all') {
    if (!turns.some(isAnswer))
      throw new RowProblem('no_supervised_token', 'there is no message from the assistant');
    return;
  }
  const weighted = turns.findIndex(({ weight = 1 }) => weight !== 1);
  if (weighted < 0) return;
  throw new RowProblem(
    'wrong_type',
    `message ${weighted + 1} has a weight, but \`loss_on = all\` counts every token`,
  );
}

const unseparated = (message: number): RowProblem =>
  new RowProblem(
    'no_supervised_token',
    `the chat template renders message ${message + 1} differently when others follow, so its answer cannot be separated from the prompt; \`loss_on = last\` needs only the last`,
  );

interface Parts {
  readonly messages: readonly ChatMessage[];
  readonly turns: readonly ChatMessage[];
  readonly given: readonly Turn[];
  readonly tools: readonly Json[];
  readonly context: RenderContext;
}

function rendered(
  whole: string,
  answers: readonly Answered[],
  { messages, turns, given, tools, context }: Parts,
): RenderedRow {
  const last = answers.at(-1);
  const [first] = messages;
  const calls = given.flatMap(({ message }) => message.tool_calls ?? []);
  return {
    text: whole,
    answers,
    prompt: last === undefined ? '' : whole.slice(0, last.start),
    answer: last === undefined ? '' : referenceOf(whole, last, turns[last.turn], context),
    begins: false,
    ...(first?.role === 'system' ? { system: first.content } : {}),
    ...(answers.some(({ askedOtherwise }) => askedOtherwise) ? { askedOtherwise: true } : {}),
    given: [...turns.map(({ content }) => content), ...textsIn([calls, tools])],
  };
}

/** What the model is to answer: of calls, their text as the template writes them, and as answers are read. */
function referenceOf(
  whole: string,
  { start, end }: Border,
  message: ChatMessage | undefined,
  { turnEnds, shown }: RenderContext,
): string {
  if (message?.tool_calls === undefined) return message?.content ?? '';
  const written = whole.slice(start, end);
  const token = turnEnds.find((ending) => written.endsWith(ending)) ?? '';
  return shown(written.slice(0, written.length - token.length)).trim();
}

/** All texts in a value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const inner = value instanceof Map ? [...value] : Object.values(value);
  return inner.flatMap(textsIn);
}

/** Calls as text where the row has them so and the template writes none. */
function asWritten(turn: Turn, { chat }: RenderContext): Turn {
  const { message, asText } = turn;
  if (message.tool_calls === undefined || chat === undefined || writesCalls(chat)) return turn;
  if (asText !== undefined) return { ...turn, message: { role: message.role, content: asText } };
  throw new RowProblem(
    'wrong_type',
    `a message calls a tool, which the chat template does not write${OTHERS}`,
  );
}

const OTHERS = '; `chat(style: hermes)` is one that does';

/** A template may refuse a chat, say one whose roles don't alternate: that is the row's fault, not the model's. */
function writer({ chat }: RenderContext, tools: readonly Json[]): Write {
  if (chat === undefined) throw new Error('a chat was rendered without a chat template');
  if (tools.length > 0 && !writesTools(chat))
    throw new RowProblem('wrong_type', `the row has tools, which the chat template does not write${OTHERS}`);
  return (messages, addGenerationPrompt = false) => {
    try {
      return chat.render(messages, { addGenerationPrompt, tools });
    } catch (error) {
      if (error instanceof ModelError && !(error instanceof ExcessiveTemplateError))
        throw new RowProblem('wrong_type', error.detail);
      throw error;
    }
  };
}

function systemText(system: Value | undefined): string | undefined {
  const content = isReadFile(system) ? system.text : typeof system === 'string' ? system : '';
  return content.trim() === '' ? undefined : content.trim();
}

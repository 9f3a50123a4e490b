/** Where the answers of a chat are in its text, and how that is known. */
import type { ChatMessage } from '../../../compute/models/types.js';

/** Messages as the template writes them. */
export type Write = (messages: readonly ChatMessage[], addGenerationPrompt?: boolean) => string;

export interface Border {
  /** UTF-16 offsets into the whole text, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** What is before the answer is written otherwise where the model is to write it. */
  readonly askedOtherwise?: true;
}

interface Whole {
  readonly text: string;
  /** The text if the message of this number said something else. */
  readonly probed: (index: number) => string;
  readonly messages: readonly ChatMessage[];
  readonly write: Write;
  /** Tokens after which an answer has ended. */
  readonly turnEnds: readonly string[];
}

/** Finds the borders of the answers of a chat. */
export function bordersIn(
  text: string,
  { messages, write, turnEnds }: Pick<Whole, 'messages' | 'write' | 'turnEnds'>,
): (turn: number) => Border | undefined {
  const known = new Map<number, string>();
  const probed = (index: number): string => {
    const found = known.get(index) ?? write(otherwise(messages, index));
    known.set(index, found);
    return found;
  };
  return (turn) => borderOf({ text, messages, write, turnEnds, probed }, turn);
}

/**
 * Where the answer of a turn begins and ends; `undefined` if that cannot be known. It begins after what the model is given
 * when it is to write that turn, and ends with what is there when the turn is the last.
 */
function borderOf(whole: Whole, turn: number): Border | undefined {
  const { text, messages, write, turnEnds } = whole;
  const prompt = write(messages.slice(0, turn), true);
  const alone = turn + 1 === messages.length ? text : write(messages.slice(0, turn + 1));
  const through = endOfAnswer(alone, text, turnEnds);
  return through !== undefined && text.startsWith(prompt) && through.length >= prompt.length
    ? { start: prompt.length, end: through.length }
    : changedBorder(whole, turn, { prompt, alone });
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

/**
 * The border in a template that writes a turn otherwise where others follow: Qwen 3 leaves out an empty thought, Hermes
 * a line end, Mistral moves the tools to the last question. The answer begins after what the template writes between
 * the message before and an answer, but for white space; it ends with its end token, before anything that changes with
 * the message after it, and has all of the message that is written where it is the last.
 */
function changedBorder(
  whole: Whole,
  turn: number,
  { prompt, alone }: { readonly prompt: string; readonly alone: string },
): Border | undefined {
  const { text, messages, probed, write, turnEnds } = whole;
  const before = messages[turn - 1];
  const said = messages[turn];
  if (before === undefined || said === undefined || before.role === 'assistant') return undefined;
  const asked = write(otherwise(messages.slice(0, turn), turn - 1), true);
  const between = prompt.slice(prompt.length - commonEnd(prompt, asked));
  const start = after(text, text.length - commonEnd(text, probed(turn - 1)), between);
  if (start === undefined) return undefined;
  const ends = turnEnds.flatMap((token) => {
    const at = text.indexOf(token, start);
    return at < 0 ? [] : [at + token.length];
  });
  const end = Math.min(...ends);
  const isFollowed = messages[turn + 1] !== undefined;
  if (!Number.isFinite(end) || (isFollowed && end > commonStart(text, probed(turn + 1)))) return undefined;
  const answer = text.slice(start, end);
  const parts = [said.content.trim(), ...callNames(said)].filter((part) => alone.includes(part));
  return parts.every((part) => answer.includes(part)) ? { start, end, askedOtherwise: true } : undefined;
}

const callNames = ({ tool_calls: calls = [] }: ChatMessage): readonly string[] =>
  calls.map(({ function: called }) => String((called as { readonly name?: unknown } | undefined)?.name));

/** Of these texts, one begins and ends differently from any message. */
const PROBES = ['q7Zx', 'Zx7q', '7qxZ'] as const;

/** The messages, of which one says something else: what is the same then before and after it is not its text. */
function otherwise(messages: readonly ChatMessage[], index: number): readonly ChatMessage[] {
  const said = messages[index]?.content.trim() ?? '';
  const probe = PROBES.find(([first = '', , , last = '']) => !said.startsWith(first) && !said.endsWith(last));
  return messages.map((message, at) => (at === index ? { ...message, content: probe ?? '' } : message));
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function commonEnd(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[a.length - 1 - length] === b[b.length - 1 - length])
    length++;
  return length;
}

/** The place after a part that begins at `from`, which may have other white space within, and none more at its end. */
function after(text: string, from: number, part: string): number | undefined {
  const isSpace = (character: string | undefined): boolean => character !== undefined && /\s/.test(character);
  const solid = part.trimEnd();
  let at = from;
  for (const character of solid) {
    if (isSpace(character)) continue;
    while (isSpace(text[at])) at++;
    if (!text.startsWith(character, at)) return undefined;
    at += character.length;
  }
  const space = part.slice(solid.length);
  return text.startsWith(space, at) ? at + space.length : undefined;
}

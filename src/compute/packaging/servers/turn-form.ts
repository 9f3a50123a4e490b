/** What a chat template writes around each message, found by asking it, and checked on probe conversations. */
import type { ChatMessage, ChatTemplate } from '../../models/types.js';

interface Affixes {
  readonly before: string;
  readonly after: string;
}

/** A template that writes fixed texts around messages: what templates of other languages can say, too. */
export interface TurnForm {
  /** Before everything; the token that begins a text is in `begin`. */
  readonly start: string;
  /** The token that the template begins with, which most servers add by themselves; empty where it writes none. */
  readonly begin: string;
  /** Before each question but the first. */
  readonly between: string;
  readonly user: Affixes;
  readonly assistant: Affixes;
  /** A message of its own, within the first or the last question, or nothing: the template takes none. */
  readonly system: (Affixes & { readonly place: 'message' | 'first' | 'last' }) | undefined;
  /** What the template says where there is no system prompt. */
  readonly defaultSystem: string | undefined;
  /** What an answer follows. */
  readonly generation: string;
  /** White space around a text is taken away. */
  readonly trims: boolean;
}

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

/** Texts that no template writes by itself. */
const [SYSTEM, QUESTION, ANSWER, NEXT] = ['Xsystem0X', 'Xquestion1X', 'Xanswer2X', 'Xquestion3X'];

const MANY = 'Two lines.\n\nSign: {{ .Content }} and {% if x %} "quoted" \\n äöü 漢字 🙂';

/** Conversations that a form has to write as its template does. */
export const PROBES: readonly (readonly ChatMessage[])[] = [
  [user('Is the MIT License approved?')],
  [system('Be brief.'), user('Is it?')],
  [user('One?'), assistant('Yes.'), user('Two?')],
  [system('Be brief.'), user('One?'), assistant('Yes.'), user('Two?')],
  [system(MANY), user(MANY), assistant(MANY), user(MANY), assistant('No.'), user('3 < 4 & 5?')],
  [user(MANY), assistant('1'), user('2'), assistant('3'), user('4'), assistant('5'), user(MANY)],
];

/** Conversations that a form may write otherwise, with what is then said of it. */
const ODD: readonly { readonly messages: readonly ChatMessage[]; readonly difference: string }[] = [
  {
    messages: [user('  Is it?\n'), assistant(' Yes. '), user(' And this? ')],
    difference: 'White space around a message is kept; in training it was removed.',
  },
  {
    messages: [user('Translate.\n\n### Input:\nYes.')],
    difference:
      'A question with an `### Input:` begins as one without; in training it began with another text.',
  },
];

const takesNoSystem = ([first]: readonly ChatMessage[]): boolean => first?.role !== 'system';

/** What differs from a template where its form is used, in sentences; these are rare. */
export const differences = (form: TurnForm, template: ChatTemplate): readonly string[] =>
  ODD.filter(({ messages }) => rendered(template, messages) !== writeTurns(form, messages)).map(
    ({ difference }) => difference,
  );

/** A conversation, and the beginning of the next answer. */
function writeTurns(form: TurnForm, messages: readonly ChatMessage[]): string {
  const [first, ...others] = messages;
  const given = first?.role === 'system' ? first.content : undefined;
  const turns = given === undefined ? messages : others;
  const last = turns.length - 1;
  const { place = undefined, before = '', after = '' } = form.system ?? {};
  const own = place === 'message' ? (given ?? form.defaultSystem) : undefined;
  const within = (index: number): string =>
    given !== undefined && index === (place === 'first' ? 0 : place === 'last' ? last : -1)
      ? before + given + after
      : '';
  const texts = turns.map(({ role, content }, index) =>
    role === 'assistant'
      ? form.assistant.before + content + form.assistant.after
      : (index === 0 ? '' : form.between) + form.user.before + within(index) + content + form.user.after,
  );
  const head = own === undefined ? '' : before + own + after;
  return form.begin + form.start + head + texts.join('') + form.generation;
}

/**
 * The form of a template, if it has one; `undefined` for a template that does more than to write texts around messages.
 * `begin` is the token that a text begins with.
 */
export function turnForm(template: ChatTemplate, begin: string | undefined): TurnForm | undefined {
  // what it writes depends on the day
  if (/strftime_now|date_string/.test(template.source)) return undefined;
  const plain = guess(template, begin);
  if (plain === undefined) return undefined;
  const probes = plain.system === undefined ? PROBES.filter(takesNoSystem) : PROBES;
  const holds = probes.every((messages) => rendered(template, messages) === writeTurns(plain, messages));
  if (!holds) return undefined;
  const [spaced] = ODD;
  return { ...plain, trims: differences(plain, template).some((text) => text === spaced?.difference) };
}

function rendered(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  addGenerationPrompt = true,
): string | undefined {
  try {
    return template.render(messages, { addGenerationPrompt });
  } catch {
    // It refuses such a conversation, which is no form that another template could say.
    return undefined;
  }
}

/** The text between two others; `undefined` where one is not there, or there twice. */
function between(text: string | undefined, from: string, to: string): string | undefined {
  const parts = text?.split(from);
  const rest = from === '' ? [text ?? ''] : parts?.slice(1);
  if (text === undefined || rest?.length !== 1) return undefined;
  const inner = to === '' ? rest : rest[0]?.split(to);
  return inner?.length === (to === '' ? 1 : 2) ? inner[0] : undefined;
}

const without = (text: string | undefined, end: string | undefined): string | undefined =>
  text !== undefined && end !== undefined && text.endsWith(end)
    ? text.slice(0, text.length - end.length)
    : undefined;

const after = (text: string | undefined, start: string | undefined): string | undefined =>
  text !== undefined && start !== undefined && text.startsWith(start) ? text.slice(start.length) : undefined;

function guess(template: ChatTemplate, token: string | undefined): TurnForm | undefined {
  const asked = [user(QUESTION)];
  const generation = after(rendered(template, asked), rendered(template, asked, false));
  const turns = rendered(template, [user(QUESTION), assistant(ANSWER), user(NEXT)]);
  const head = between(turns, '', QUESTION);
  const userAfter = without(between(turns, NEXT, ''), generation);
  const assistantBefore = after(between(turns, QUESTION, ANSWER), userAfter);
  const closed = between(rendered(template, [user(QUESTION), assistant(ANSWER)], false), ANSWER, '');
  const next = after(between(turns, ANSWER, NEXT), closed);
  const begin = token !== undefined && token !== '' && head?.startsWith(token) ? token : '';
  const again = next?.startsWith(begin) ? begin : '';
  const userBefore = after(next, again);
  const opening = without(after(head, begin), userBefore);
  if (
    generation === undefined ||
    userAfter === undefined ||
    assistantBefore === undefined ||
    closed === undefined ||
    userBefore === undefined ||
    opening === undefined
  )
    return undefined;
  const turn = {
    begin,
    between: again,
    user: { before: userBefore, after: userAfter },
    assistant: { before: assistantBefore, after: closed },
    generation,
    trims: false,
  };
  return { ...turn, ...systemForm(template, turn, opening) };
}

type SystemForm = Pick<TurnForm, 'start' | 'system' | 'defaultSystem'>;

/** Where a system prompt goes. `opening`: what is before the first question where there is none. */
function systemForm(
  template: ChatTemplate,
  { begin, between: again, user: { before: userBefore } }: Pick<TurnForm, 'begin' | 'between' | 'user'>,
  opening: string,
): SystemForm {
  const long = [system(SYSTEM), user(QUESTION), assistant(ANSWER), user(NEXT)];
  const text = rendered(template, long);
  const none = { start: opening, system: undefined, defaultSystem: undefined };
  const head = after(between(text, '', SYSTEM), begin);
  if (text === undefined || head === undefined) return none;
  const toFirst = between(text, SYSTEM, QUESTION);
  if (toFirst === undefined) {
    const before = between(text, ANSWER, SYSTEM)
      ?.split(again + userBefore)
      .at(-1);
    const toLast = between(text, SYSTEM, NEXT);
    return before === undefined || toLast === undefined
      ? none
      : { start: opening, system: { place: 'last', before, after: toLast }, defaultSystem: undefined };
  }
  const own = without(toFirst, userBefore);
  if (own === undefined) {
    const before = after(head, opening + userBefore);
    return before === undefined
      ? none
      : { start: opening, system: { place: 'first', before, after: toFirst }, defaultSystem: undefined };
  }
  const before = after(head, opening);
  if (before !== undefined)
    return { start: opening, system: { place: 'message', before, after: own }, defaultSystem: undefined };
  const defaultSystem = without(after(opening, head), own);
  return { start: '', system: { place: 'message', before: head, after: own }, defaultSystem };
}

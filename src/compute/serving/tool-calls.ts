/** Calls of tools in the text of an answer: models write them as their chat templates taught them. */
import { isJson, parseFlat } from '../../language/host/json.js';

/**
 * `hermes`: `<tool_call>{…}</tool_call>` each (Hermes, Qwen). `mistral`: `[TOOL_CALLS] [{…}, …]`, in newer versions
 * `[TOOL_CALLS]name[ARGS]{…}`. `json`: the whole answer is `{"name": …, "parameters": …}`, several with `;` between them
 * (Llama 3).
 */
export type ToolStyle = 'hermes' | 'mistral' | 'json';

export interface ToolCall {
  readonly name: string;
  /** JSON. */
  readonly arguments: string;
}

export interface TextWithCalls {
  /** What is no call. */
  readonly content: string;
  readonly calls: readonly ToolCall[];
}

/** The style of a template that writes tools. */
export const toolStyleOf = (template: string): ToolStyle =>
  template.includes('<tool_call>') ? 'hermes' : template.includes('[TOOL_CALLS]') ? 'mistral' : 'json';

interface Style {
  /** Calls, where the text is one of calls. */
  readonly read: (text: string) => TextWithCalls | undefined;
  /** What begins calls anywhere. */
  readonly mark: string;
  /** What begins calls at the beginning of an answer: a mark that is a special token is not in its text. */
  readonly first: string;
}

const STYLES: Readonly<Record<ToolStyle, Style>> = {
  hermes: { read: readHermes, mark: '<tool_call>', first: '<tool_call>' },
  mistral: { read: readMistral, mark: '[TOOL_CALLS]', first: '[{' },
  json: { read: readJson, mark: '<|python_tag|>', first: '{' },
};

/** What is not a call in every part stays text: an answer that was cut off, or that only resembles one. */
export const toolCallsOf = (text: string, style: ToolStyle): TextWithCalls =>
  STYLES[style].read(text) ?? { content: text, calls: [] };

/**
 * Where calls begin, or may begin with what follows the text: what is before never belongs to one. Its length if nowhere.
 * `isFirst`: nothing of the answer is before the text.
 */
export function callsBegin(text: string, style: ToolStyle, isFirst = true): number {
  const { mark, first } = STYLES[style];
  const start = text.length - text.trimStart().length;
  const trimmed = text.slice(start);
  if (isFirst && (trimmed.startsWith(first) || first.startsWith(trimmed))) return start;
  const found = text.indexOf(mark);
  if (found >= 0) return found;
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--)
    if (mark.startsWith(text.slice(-length))) return text.length - length;
  return text.length;
}

function readHermes(text: string): TextWithCalls | undefined {
  const found = [...text.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)];
  const calls = found.map(([, body = '']) => callOf(json(body)));
  if (calls.length === 0 || !calls.every((call) => call !== undefined)) return undefined;
  return { content: text.replaceAll(/<tool_call>[\s\S]*?<\/tool_call>/g, '').trim(), calls };
}

function readMistral(text: string): TextWithCalls | undefined {
  const [content = '', ...marked] = text.includes('[TOOL_CALLS]') ? text.split('[TOOL_CALLS]') : ['', text];
  const calls = marked.flatMap((part): readonly (ToolCall | undefined)[] => {
    const named = /^\s*([\w.-]+)\s*(?:\[ARGS\])?\s*(\{[\s\S]*\})\s*$/.exec(part);
    if (named !== null) return [callOf({ name: named[1], arguments: json(named[2] ?? '') })];
    const list = json(part);
    return Array.isArray(list) ? list.map(callOf) : [undefined];
  });
  if (calls.length === 0 || !calls.every((call) => call !== undefined)) return undefined;
  return { content: content.trim(), calls };
}

function readJson(text: string): TextWithCalls | undefined {
  const [before = '', ...marked] = text.split('<|python_tag|>');
  const body = marked.length === 0 ? before : marked.join('');
  const single = callOf(json(body));
  const calls = single === undefined ? body.split(/;\s*(?=\{)/).map((part) => callOf(json(part))) : [single];
  if (!calls.every((call) => call !== undefined)) return undefined;
  return { content: marked.length === 0 ? '' : before.trim(), calls };
}

/** `undefined` for what is no JSON. */
function json(text: string): unknown {
  try {
    return parseFlat(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A call as any of the styles writes it. */
function callOf(value: unknown): ToolCall | undefined {
  if (!isJson(value) || typeof value['name'] !== 'string') return undefined;
  const given = value['arguments'] ?? value['parameters'];
  if (typeof given === 'string')
    return isJson(json(given)) ? { name: value['name'], arguments: given } : undefined;
  return isJson(given) ? { name: value['name'], arguments: JSON.stringify(given) } : undefined;
}

import { exactText } from '../../../language/host/exact-json.js';
import type { Host } from '../../../language/host/host.js';
import { isJson, type Json } from '../../../language/host/json.js';
import { readJsonFile, readTextFile } from '../read-file.js';
import {
  type ChatMessage,
  type ChatTemplate,
  ExcessiveTemplateError,
  ModelError,
  type Tokenizer,
} from '../types.js';
import { TemplateLimitError } from './budget.js';
import { dateOf } from './date.js';
import { jinjaValue } from './exact-values.js';
import { Environment, type JinjaNode, parse, tokenize } from './jinja.js';
import { LimitedInterpreter, limitedRange } from './limits.js';

const MAX_BYTES = 5_000_000;
const CONFIG = 'tokenizer_config.json';

/** Where transformers keeps a template next to a model or an adapter. */
export const CHAT_TEMPLATE = 'chat_template.jinja';

/** The template in a folder of an adapter, which has one if it was not trained with its base's. */
export const readStyle = (host: Host, folder: string): string | undefined =>
  host.stat(`${folder}/${CHAT_TEMPLATE}`) === undefined
    ? undefined
    : readTextFile(host, `${folder}/${CHAT_TEMPLATE}`, { code: 'model_template', maxBytes: MAX_BYTES });

/** `bos_token`, `eos_token` and the like, as templates name them. */
export type SpecialTokens = Readonly<Record<string, string>>;

/** A template of a model folder, with what it was read from. */
export interface LoadedTemplate extends ChatTemplate {
  readonly path: string;
  readonly special: SpecialTokens;
}

/**
 * The chat template of a model folder: `chat_template.jinja` (transformers 5), or `chat_template` in
 * `tokenizer_config.json`, a text or a list of named ones of which `default` is taken. `undefined` if there is none.
 * Throws a {@link ModelError} `model_template`.
 */
export function readChatTemplate(host: Host, folder: string): LoadedTemplate | undefined {
  const configPath = `${folder}/${CONFIG}`;
  const config = readConfig(host, configPath);
  const special = readSpecialTokens(config);
  const own = readStyle(host, folder);
  if (own !== undefined) return compileChatTemplate(own, special, `${folder}/${CHAT_TEMPLATE}`);
  const source = defaultTemplate(config['chat_template'], configPath);
  return source === undefined ? undefined : compileChatTemplate(source, special, configPath);
}

/** The special tokens that a model folder names. Throws a {@link ModelError} `model_template`. */
export const readTokens = (host: Host, folder: string): SpecialTokens =>
  readSpecialTokens(readConfig(host, `${folder}/${CONFIG}`));

const readConfig = (host: Host, path: string): Json =>
  host.stat(path) === undefined
    ? {}
    : readJsonFile(host, path, { code: 'model_template', maxBytes: MAX_BYTES });

function defaultTemplate(value: unknown, path: string): string | undefined {
  if (value == null) return undefined;
  if (typeof value === 'string') return value;
  const named = Array.isArray(value) ? value.filter(isJson) : [];
  const found = named.find((entry) => entry['name'] === 'default')?.['template'];
  if (typeof found === 'string') return found;
  throw new ModelError(
    'model_template',
    path,
    '"chat_template" is neither a string nor a list with a template named "default".',
    'Put the template into a file chat_template.jinja next to it.',
  );
}

function readSpecialTokens(config: Json): SpecialTokens {
  const tokens: Record<string, string> = {};
  for (const name of ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask']) {
    const value = config[`${name}_token`];
    const content = isJson(value) ? value['content'] : value;
    if (typeof content === 'string') tokens[`${name}_token`] = content;
  }
  return tokens;
}

/** Errors of the language itself, over which the library stumbles. */
const FAILURES: readonly (readonly [new () => Error, string])[] = [
  [TypeError, 'it ends too early'],
  [RangeError, 'it is nested too deeply, or builds too long a text'],
];

/** Characters of a template; those of today's models have 30,000 at most. */
const MOST_CHARACTERS = 500_000;
/** White space in one place: the library looks for tags behind each of its characters. */
const MOST_SPACE = 1_000;

/** Before the library reads it, which takes long over such texts. */
function checkSize(source: string): void {
  if (source.length > MOST_CHARACTERS) throw new Error(`it has more than ${MOST_CHARACTERS} characters`);
  for (const [space] of source.matchAll(/\s+/g))
    if (space.length > MOST_SPACE) throw new Error(`it has more than ${MOST_SPACE} spaces in one place`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Rendering {
  /** JavaScript values, by their names. */
  readonly globals?: Readonly<Record<string, unknown>>;
  /** JSON values, whose numbers and order may be those of their text. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What the template may cost: messages, and characters that go in. */
  readonly messages: number;
  readonly characters: number;
}

/** Compiles a Jinja text. `what`: how messages call it; `constants`: JavaScript values and functions that every rendering sees. Throws a {@link ModelError} `model_template`. */
function compiled(
  what: string,
  source: string,
  path: string,
  constants: Readonly<Record<string, unknown>>,
): (rendering: Rendering) => string {
  const failed = (why: string, error: unknown, Problem = ModelError): ModelError => {
    const detail = FAILURES.find(([Kind]) => error instanceof Kind)?.[1] ?? messageOf(error);
    return new Problem(
      'model_template',
      path,
      `The ${what} ${why}: ${detail}`,
      `Fix the ${what}, or use one of the std formats.`,
    );
  };
  let program: JinjaNode;
  try {
    checkSize(source);
    // Jinja reads every end of a line as "\n"
    const text = withoutContinuations(source.replace(/\r\n?/g, '\n'));
    program = parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true }));
  } catch (error) {
    throw failed('is not valid Jinja', error);
  }
  // what is set by a rendering is set in a scope of its own
  const around = new Environment();
  for (const [name, value] of Object.entries(constants)) around.set(name, value);
  return ({ globals = {}, values, messages, characters }) => {
    const environment = new Environment(around);
    try {
      for (const [name, value] of Object.entries(globals)) environment.set(name, value);
      for (const [name, value] of Object.entries(values)) environment.setVariable(name, jinjaValue(value));
      return String(
        new LimitedInterpreter(environment, messages, source.length + characters).run(program).value,
      );
    } catch (error) {
      if (error instanceof TemplateLimitError || error instanceof RangeError)
        throw failed('was stopped', error, ExcessiveTemplateError);
      throw failed(`refused the ${messages === 0 ? 'row' : 'messages'}`, error);
    }
  };
}

/** A template that writes a row, whose columns are its variables. Throws a {@link ModelError} `model_template`. */
export function compileRowTemplate(
  source: string,
  special: SpecialTokens,
  path: string,
): (row: Json) => string {
  const render = compiled('template', source, path, { ...special, ...dateOf(source), ...COMMON });
  return (row) =>
    render({
      values: row,
      messages: 0,
      characters: exactText(row).length,
    });
}

/** Compiles a template; `path` is what errors name. Throws a {@link ModelError} `model_template`. */
export function compileChatTemplate(source: string, special: SpecialTokens, path: string): LoadedTemplate {
  const constants = { ...special, documents: null, ...COMMON, ...dateOf(source) };
  const render = compiled('chat template', source, path, constants);
  return {
    source,
    path,
    special,
    render(messages, options = {}) {
      const { tools = [], addGenerationPrompt = false } = options;
      const calls = messages.flatMap(({ tool_calls = [] }) => tool_calls);
      const described = [...calls, ...tools].map((value) => exactText(value));
      const texts = [...messages.flatMap(({ role, content }) => [role, content]), ...described];
      return render({
        globals: { add_generation_prompt: addGenerationPrompt },
        values: given(messages, tools),
        messages: messages.length,
        characters: texts.reduce((sum, text) => sum + text.length, 0),
      });
    },
  };
}

/** As in Python, a text between quotes continues after a line that ends with a backslash; Mistral's templates use it. */
const withoutContinuations = (source: string): string =>
  source.includes('\\\n') ? between(source, TAG, TAG_END, (tag) => tag.replace(CONTINUATION, '$1')) : source;

const TAG = /\{[{%]/g;
const TAG_END = /[%}]\}/g;
const CONTINUATION = /(?<!\\)((?:\\\\)*)\\\n/g;

/** Replaces what begins and ends so; each place of the text is looked at once, where lazy expressions begin again. */
function between(source: string, open: RegExp, end: RegExp, replace: (part: string) => string): string {
  let text = '';
  let at = 0;
  for (;;) {
    open.lastIndex = at;
    const start = open.exec(source)?.index;
    if (start === undefined) break;
    end.lastIndex = start + 2;
    const found = end.exec(source);
    if (found === null) break;
    text += source.slice(at, start) + replace(source.slice(start, end.lastIndex));
    at = end.lastIndex;
  }
  return text + source.slice(at);
}

/** Whether a template does anything with tools. */
export const writesTools = ({ source }: ChatTemplate): boolean => /\btools\b/.test(source);

/** Whether a template writes an assistant's calls of tools. */
export const writesCalls = ({ source }: ChatTemplate): boolean => /\btool_calls\b/.test(source);

const MOST_OF_A_REFUSAL = 1_000;

const shortened = (message: string): string =>
  message.length > MOST_OF_A_REFUSAL ? `${message.slice(0, MOST_OF_A_REFUSAL)}…` : message;

/** What is written; what other programs put next to these is none of a template's business. */
const given = (
  messages: readonly ChatMessage[],
  tools: readonly Json[],
): { readonly messages: unknown; readonly tools: unknown } => ({
  messages: messages.map(({ role, content, reasoning_content, tool_calls, tool_call_id, name }) => ({
    role,
    content,
    reasoning_content,
    tool_calls,
    tool_call_id,
    name,
  })),
  tools: tools.length === 0 ? null : tools,
});

/** What transformers' `apply_chat_template` lets every template use. */
const COMMON: Readonly<Record<string, unknown>> = {
  raise_exception: (message: unknown) => {
    throw new Error(
      typeof message === 'object' ? 'it raises what is not a text' : shortened(String(message)),
    );
  },
  range: limitedRange,
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
};

/** A marker as today's chat templates write them: `<|im_start|>`, `<|eot_id|>`. */
const MARKER = /<\|[^<>|\s]{1,64}\|>/g;

/** `{#- special tokens: <|im_start|> <|im_end|> -#}`: a template that says itself which its markers are. */
const DECLARED = /\{#-?\s*special tokens:((?:(?!\{#).)*?)-?#\}/s;

function markersOf(source: string): readonly string[] {
  const declared = DECLARED.exec(source)?.[1];
  return declared === undefined
    ? (withoutComments(source).match(MARKER) ?? [])
    : declared.split(/\s+/).filter((word) => /^<.+>$/.test(word));
}

const withoutComments = (source: string): string => between(source, /\{#/g, /#\}/g, () => '');

/**
 * Checks that every special token that a template writes, by itself or by name (`eos_token`), is one id of the
 * tokenizer: `<|im_start|>` in ten pieces would train and run, badly. Markers of other forms are left alone, since
 * `[INST]` is plain text in Llama 2. Throws a {@link ModelError} `model_template` that names the token.
 */
export function checkSpecialTokens(
  tokenizer: Tokenizer,
  template: ChatTemplate & Partial<LoadedTemplate>,
  path = template.path ?? CONFIG,
): void {
  const text = withoutComments(template.source);
  const named = Object.entries(template.special ?? {}).filter(([name]) =>
    new RegExp(`\\b${name}\\b`).test(text),
  );
  for (const token of new Set([...markersOf(template.source), ...named.map(([, content]) => content)])) {
    const { length } = tokenizer.encode(token);
    if (length === 1) continue;
    throw new ModelError(
      'model_template',
      path,
      `The chat template writes ${token}, which the tokenizer splits into ${length} tokens.`,
      `Add ${token} to the tokenizer's special tokens, or use a template that belongs to this model.`,
    );
  }
}

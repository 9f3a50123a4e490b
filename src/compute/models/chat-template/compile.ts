/** Jinja templates of messages or of a row, compiled once and rendered within limits. */
import { exactText } from '../../../language/host/exact-json.js';
import type { Json } from '../../../language/host/json.js';
import { type ChatMessage, type ChatTemplate, ExcessiveTemplateError, ModelError } from '../types.js';
import { TemplateLimitError } from './budget.js';
import { dateOf } from './date.js';
import { jinjaValue } from './exact-values.js';
import { Environment, type JinjaNode, parse, tokenize } from './jinja.js';
import { LimitedInterpreter, limitedRange } from './limits.js';
import { withoutContinuations } from './source-text.js';

/** `bos_token`, `eos_token` and the like, as templates name them. */
export type SpecialTokens = Readonly<Record<string, string>>;

/** A template of a model folder, with what it was read from. */
export interface LoadedTemplate extends ChatTemplate {
  readonly path: string;
  readonly special: SpecialTokens;
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

/**
 * Compiles a Jinja text. `what`: how messages call it; `constants`: JavaScript values and functions that every
 * rendering sees. Throws a {@link ModelError} `model_template`.
 */
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

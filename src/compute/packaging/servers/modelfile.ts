/** What Ollama makes a model from: https://docs.ollama.com/modelfile */
import type { ServerFacts } from './facts.js';
import { goTemplate } from './go-template.js';
import { differences, turnForm } from './turn-form.js';

/** What is said to Ollama of a release, in a Modelfile or through its API. */
export interface OllamaModel {
  /** In the template language of Go; `undefined`: nobody can say it there, and prompts are to be sent as they are. */
  readonly template: string;
  /** Whether Ollama writes conversations as training did. */
  readonly chats: boolean;
  readonly system?: string;
  readonly parameters: Readonly<Record<string, number | readonly string[]>>;
  /** Sentences: where it differs from training. */
  readonly notes: readonly string[];
}

/** Ollama writes the prompt that it is given, and nothing else. */
const RAW = '{{ .Prompt }}';

/** What Ollama calls the numbers that it stops and counts with. */
export function ollamaModel(facts: ServerFacts): OllamaModel {
  const { prompt, template, special, system, contextTokens, llamaTokens = contextTokens, stop } = facts;
  const parameters = { num_ctx: llamaTokens, temperature: 0, ...(stop.length > 0 && { stop }) };
  if (prompt?.style === 'text' || template === undefined)
    return { template: RAW, chats: false, parameters, notes: [CONTINUES] };
  const form = turnForm(template, special['bos_token']);
  const text = form && goTemplate(form);
  if (form === undefined || text === undefined || text.includes('"""'))
    return { template: RAW, chats: false, parameters, notes: [UNKNOWN] };
  const isLost = system !== undefined && form.system === undefined;
  return {
    template: text,
    chats: true,
    ...(system !== undefined && !isLost && { system }),
    parameters,
    notes: [...differences(form, template), ...(isLost ? [NO_SYSTEM] : [])],
  };
}

const CONTINUES =
  'An answer continues its question: ask with `/api/generate`, and write the prompt as training did.';

const UNKNOWN =
  'The chat template does more than to write texts around messages, which the templates of Ollama can’t be shown to ' +
  'do alike. Write conversations with the tokenizer’s own template, and send the text to `/api/generate` with ' +
  '`"raw": true`; `/api/chat` would write them differently from training.';

const NO_SYSTEM = 'The template takes no system prompt, and training had one.';

/** `from` and `adapter`: relative to the folder of the Modelfile, absolute, or names that Ollama knows. */
export function modelfile(model: OllamaModel, from: string, adapter?: string): string {
  const { template, system, parameters } = model;
  const lines = Object.entries(parameters).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [`PARAMETER ${name} ${value}`]
      : value.map((each) => `PARAMETER ${name} ${quoted(each)}`),
  );
  return [
    `FROM ${from}`,
    ...(adapter === undefined ? [] : [`ADAPTER ${adapter}`]),
    `TEMPLATE """${template}"""`,
    ...(system === undefined ? [] : [`SYSTEM ${quoted(system)}`]),
    ...lines,
    '',
  ].join('\n');
}

/** Modelfiles have no escapes. */
const quoted = (text: string): string =>
  text.includes('"') || text.includes('\n') ? `"""${text}"""` : `"${text}"`;

interface AlpacaOptions {
  readonly begin: string;
  readonly end: string;
  readonly preamble: boolean;
}

/** What the rows of the data set begin with. */
export const alpacaPreamble = (hasInput: boolean): string =>
  `Below is an instruction that describes a task${
    hasInput ? ', paired with an input that provides further context' : ''
  }. Write a response that appropriately completes the request.`;

/** A string of Jinja. */
const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const PREAMBLE = `{%- if loop.first -%}
{{- (${literal(alpacaPreamble(true))} if '\\n\\n### Input:\\n' in message.content else ${literal(alpacaPreamble(false))}) + '\\n\\n' -}}
{%- endif -%}
`;

/**
 * The layout of the Alpaca data set as a chat template, for those who answer with what was trained on such rows:
 * https://github.com/tatsu-lab/stanford_alpaca. `begin` is the token that the tokenizer puts before a text. A question
 * has an input where it is written as in a row.
 */
export const alpacaTemplate = ({ begin, end, preamble }: AlpacaOptions): string =>
  `{{- ${literal(begin)} -}}
{%- for message in messages -%}
${preamble ? PREAMBLE : ''}{%- if message.role == 'user' -%}
{{- '### Instruction:\\n' + message.content + '\\n\\n' -}}
{%- elif message.role == 'assistant' -%}
{{- '### Response:\\n' + message.content + ${literal(end)} -}}
{%- else -%}
{{- message.content + '\\n\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '### Response:\\n' -}}
{%- endif -%}
`;

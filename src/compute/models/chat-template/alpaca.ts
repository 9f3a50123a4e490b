/**
 * The layout of the Alpaca data set as a chat template, for those who answer with what was trained on such rows:
 * https://github.com/tatsu-lab/stanford_alpaca. `begin` is the token that the tokenizer puts before a text.
 */
export const alpacaTemplate = ({ begin, end }: { readonly begin: string; readonly end: string }): string =>
  `{{- ${literal(begin)} -}}
{%- for message in messages -%}
{%- if message.role == 'user' -%}
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

/** A string of Jinja. */
const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

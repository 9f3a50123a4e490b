/**
 * What a request can be wrong about. No command prints these: a server answers with them, so that their codes are words, as
 * those of OpenAI's API.
 */
import { userError } from '../../language/diagnostics/make.js';

export const noTemplate = (label: string) =>
  userError(
    'no_chat_template',
    undefined,
    `\`${label}\` has no chat template, so that it cannot be asked in messages`,
    {
      help: 'send a text to be continued to `/v1/completions`, or serve the model with a template',
    },
  );

export const noTools = (label: string) =>
  userError('tools_unsupported', undefined, `the chat template of \`${label}\` does not write tools`, {
    help: 'leave `tools` out, or serve a model whose template writes them',
  });

export const emptyPrompt = (label: string) =>
  userError('empty_prompt', undefined, `the prompt is empty: \`${label}\` has nothing to continue`, {
    help: 'send a prompt of at least one token',
  });

/** `why`: one clause, such as "`pattern` at `#/properties/name` cannot be kept to". */
export const formatUnsupported = (why: string) =>
  userError('schema_unsupported', undefined, `the answer cannot be kept to the schema: ${why}`, {
    help: 'leave that part of the schema out, and check it in the answer',
  });

export const unknownTokenId = (label: string, id: string | number, vocab: number) =>
  userError('unknown_token', undefined, `\`${label}\` has no token \`${id}\``, {
    help: `use ids from 0 to ${vocab - 1}`,
  });

/** `why`: what the template says. */
export const refusedMessages = (label: string, why: string) =>
  userError(
    'messages_refused',
    undefined,
    `the messages do not fit the chat template of \`${label}\`: ${why}`,
    {
      help: 'change the messages: many templates want user and assistant in turn, and a system message first or never',
    },
  );

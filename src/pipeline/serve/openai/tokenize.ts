/** `POST /tokenize`, as vLLM has it: the token ids of a prompt. */
import * as v from 'valibot';
import { knownFailure } from '../http/failures.js';
import type { ServedModel } from '../model.js';
import type { Router } from '../router.js';
import { badField } from './api-error.js';
import { readFields, refused, used } from './fields.js';
import { chatMessages, messages, tools } from './messages.js';

const FIELDS = {
  model: used(v.string()),
  prompt: used(v.string()),
  messages: used(messages),
  tools: used(tools),
  add_generation_prompt: refused('messages are always written as those of a question', [true]),
  add_special_tokens: refused('a prompt begins as the model reads it', [true]),
} as const;

/** Throws an `ApiError`. */
export async function tokenize(
  router: Router<ServedModel>,
  name: string,
  visitor: string | undefined,
  body: unknown,
) {
  const { model = name, prompt, messages, tools } = readFields(FIELDS, body);
  if (model !== name) throw badField('model', `this server has \`${name}\``, 'model_not_found');
  if ((prompt === undefined) === (messages === undefined))
    throw badField('prompt', 'give `prompt` or `messages`, one of them', 'missing_required_parameter');
  const routed = await router.route(visitor);
  try {
    const tokens = await routed.model.tokensOf(
      messages === undefined
        ? { text: prompt ?? '' }
        : {
            messages: chatMessages(messages),
            ...(tools === undefined ? {} : { tools: tools.map((tool) => ({ ...tool })) }),
          },
    );
    return { count: tokens.length, max_model_len: routed.model.info.contextTokens, tokens };
  } catch (error) {
    throw knownFailure(error, { label: routed.model.info.label, name }) ?? error;
  } finally {
    routed.done();
  }
}

/** What went wrong while a request was answered, as the client is told it. */
import { UserError } from '../../../language/diagnostics/types.js';
import { ModelEndedError } from '../model-process.js';
import { ApiError } from '../openai/api-error.js';
import { NoModelError } from '../router.js';

/** The client closed its connection. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/** The answer took longer than the server allows. */
export class TooLateError extends Error {
  override readonly name = 'TooLateError';
  constructor(readonly seconds: number) {
    super(`the answer was not complete after ${seconds} seconds`);
  }
}

/** nginx's status of a client that went: nobody reads it. */
const CLIENT_GONE = 499;

/** What clients look for in OpenAI's API: the code and the field, by the code of a diagnostic. */
const TOLD: Readonly<Record<string, { readonly code?: string; readonly param?: string }>> = {
  FTP0707: { code: 'context_length_exceeded' },
  empty_prompt: { code: 'empty_string', param: 'prompt' },
  no_chat_template: { param: 'messages' },
  messages_refused: { param: 'messages' },
  tools_unsupported: { param: 'tools' },
  schema_unsupported: { param: 'response_format' },
  unknown_token: { code: 'invalid_value' },
};

/** What the machine calls a model is nobody's business: clients know it by another name. */
export interface ClientName {
  /** Of its folder. */
  readonly label: string;
  readonly name: string;
}

/** `undefined` for a bug. */
export function knownFailure(error: unknown, model?: ClientName): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof ClientGoneError)
    return new ApiError(CLIENT_GONE, 'the client went', { code: 'client_gone' });
  if (error instanceof TooLateError) return new ApiError(504, error.message, { code: 'timeout' });
  if (error instanceof NoModelError)
    return new ApiError(503, error.message, { code: 'model_unavailable', retryAfter: error.retryAfter });
  if (error instanceof ModelEndedError)
    return new ApiError(503, 'the process of the model ended while it answered', {
      code: 'model_unavailable',
      retryAfter: 1,
    });
  if (!(error instanceof UserError)) return undefined;
  const { message, help, code } = error.diagnostic;
  const text = help === undefined ? message : `${message}; ${help}`;
  return new ApiError(400, model === undefined ? text : text.replaceAll(model.label, model.name), {
    code,
    ...(Object.hasOwn(TOLD, code) ? TOLD[code] : {}),
  });
}

export const failureOf = (error: unknown, model?: ClientName): ApiError =>
  knownFailure(error, model) ??
  new ApiError(500, 'the server failed: its log says how', { code: 'internal_error' });

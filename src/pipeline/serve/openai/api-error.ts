/** What a client is told went wrong, in the shape of OpenAI's API. */

type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error';

interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ErrorType;
    /** The field of the request. */
    readonly param: string | null;
    readonly code: string | null;
  };
}

interface ErrorDetails {
  readonly type?: ErrorType;
  readonly param?: string;
  readonly code?: string;
  /** Seconds after which it is worth another try. */
  readonly retryAfter?: number;
  /** The methods that the path takes. */
  readonly allow?: readonly string[];
  /** How a body may be coded, where it was coded otherwise (RFC 9110, 15.5.16). */
  readonly acceptEncoding?: string;
}

/** An answer with an HTTP status of 400 or above. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }

  get body(): ErrorBody {
    const { type = this.status < 500 ? 'invalid_request_error' : 'server_error', param, code } = this.details;
    return { error: { message: this.message, type, param: param ?? null, code: code ?? null } };
  }

  /** Headers that go with it. */
  get headers(): Readonly<Record<string, string>> {
    const { retryAfter, allow, acceptEncoding } = this.details;
    return {
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
      ...(allow === undefined ? {} : { allow: allow.join(', ') }),
      ...(acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }),
      ...(this.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    };
  }
}

/** A field of the request is not as it has to be. */
export const badField = (param: string, message: string, code = 'invalid_value'): ApiError =>
  new ApiError(400, message, { param, code });

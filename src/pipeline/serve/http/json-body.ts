/** Bodies of requests: UTF-8, JSON, and nothing that changes how objects behave. */
import { isJson, parseFlat } from '../../../language/host/json.js';
import { ApiError } from '../openai/api-error.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The value of a body. Throws an `ApiError` (400). */
export function jsonBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw notJson('it is empty');
  const value = parsed(textOf(bytes));
  if (hasPrototype(value)) throw notJson('an object has a field `__proto__`');
  return value;
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw notJson('it is not UTF-8');
  }
}

function parsed(text: string): unknown {
  try {
    return parseFlat(text);
  } catch (error) {
    throw notJson(error instanceof Error ? error.message : String(error));
  }
}

const hasPrototype = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(hasPrototype)
    : isJson(value) && (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototype));

const notJson = (why: string): ApiError =>
  new ApiError(400, `the body of the request cannot be read as JSON: ${why.slice(0, 200)}`, {
    code: 'invalid_json',
  });

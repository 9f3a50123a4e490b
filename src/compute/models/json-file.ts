import { type Host, HostError } from '../../language/host/host.js';
import { anyObject, type Json, JsonFault, parseJson } from '../../language/host/json.js';
import { refusePointer } from './git-lfs.js';
import { ModelError, type ModelErrorCode } from './types.js';

interface JsonFileOptions {
  readonly code: ModelErrorCode;
  readonly maxBytes: number;
}

/** A JSON object from a file that a user named. Throws a {@link ModelError} of the given code. */
export function readJsonFile(host: Host, path: string, { code, maxBytes }: JsonFileOptions): Json {
  const text = readTextFile(host, path, { code, maxBytes });
  const value = parseJson(anyObject, text);
  if (!(value instanceof JsonFault)) return value;
  const why = value.value === undefined ? `not valid JSON: ${value.detail}` : 'not a JSON object';
  throw new ModelError(code, path, `The file is ${why}.`, 'Fix the file, or download the model again.');
}

/** Text of a file that a user named. Throws a {@link ModelError}. */
export function readTextFile(host: Host, path: string, { code, maxBytes }: JsonFileOptions): string {
  const stat = host.stat(path);
  if (stat === undefined || stat.isFolder) {
    throw new ModelError(
      code,
      path,
      stat === undefined ? 'There is no such file.' : 'There is a folder where a file is needed.',
      'Download it too: it belongs with the other files of its folder.',
    );
  }
  if (stat.size > maxBytes) {
    throw new ModelError(
      code,
      path,
      `The file has ${stat.size} bytes; at most ${maxBytes} are read.`,
      'Check that it is the right file.',
    );
  }
  try {
    refusePointer(host, path, stat.size, code);
    return new TextDecoder('utf-8', { fatal: true }).decode(host.readBytes(path));
  } catch (error) {
    if (error instanceof TypeError) {
      throw new ModelError(
        code,
        path,
        'The file is not UTF-8 text.',
        'Download it again, or save it as UTF-8: letters would be lost.',
      );
    }
    if (!(error instanceof HostError)) throw error;
    throw new ModelError(
      code,
      path,
      `The file could not be read: ${error.detail}.`,
      error.code === 'no_file' ? 'Put a file in its place.' : 'Check its permissions.',
      { cause: error },
    );
  }
}

/** Files of models, which strangers may have written: what can't be read is a {@link ModelError} that names the file. */
import { type Host, HostError } from '../../language/host/host.js';
import { anyObject, type Json, JsonFault, parseJson } from '../../language/host/json.js';
import { positionAt, sourceText } from '../../language/source/text.js';
import { ModelError, type ModelErrorCode } from './types.js';

interface TextFileOptions {
  readonly code: ModelErrorCode;
  readonly maxBytes: number;
}

/** A JSON object from a file that a user named. Throws a {@link ModelError} of the given code. */
export function readJsonFile(host: Host, path: string, options: TextFileOptions): Json {
  const text = readTextFile(host, path, options);
  const value = parseJson(anyObject, text);
  if (!(value instanceof JsonFault)) return value;
  const why = value.value === undefined ? `not valid JSON: ${value.detail}` : 'not a JSON object';
  throw new ModelError(
    options.code,
    path,
    `The file is ${why}.`,
    'Fix the file, or download the model again.',
    {},
    positionIn(text, value.detail),
  );
}

/** Where the parser stopped, as it says it. */
function positionIn(text: string, detail: string): ModelError['position'] {
  const [, offset] = / at position (\d+)/.exec(detail) ?? [];
  return offset === undefined ? undefined : positionAt(sourceText('', text), Number(offset));
}

/** Text of a file that a user named. Throws a {@link ModelError}. */
export function readTextFile(host: Host, path: string, { code, maxBytes }: TextFileOptions): string {
  const refuse = (detail: string, help: string): never => {
    throw new ModelError(code, path, detail, help);
  };
  const stat = host.stat(path);
  if (stat === undefined || stat.isFolder)
    return refuse(
      stat === undefined ? 'There is no such file.' : 'There is a folder where a file is needed.',
      'Download it too: it belongs with the other files of its folder.',
    );
  if (stat.size > maxBytes)
    refuse(
      `The file has ${stat.size} bytes; at most ${maxBytes} are read.`,
      'Check that it is the right file.',
    );
  try {
    refusePointer(host, path, stat.size, code);
    return new TextDecoder('utf-8', { fatal: true }).decode(host.readBytes(path));
  } catch (error) {
    if (error instanceof TypeError)
      return refuse(
        'The file is not UTF-8 text.',
        'Download it again, or save it as UTF-8: letters would be lost.',
      );
    if (!(error instanceof HostError)) throw error;
    const cure = error.code === 'no_file' ? 'Put a file in its place.' : 'Check its permissions.';
    throw new ModelError(code, path, `The file could not be read: ${error.detail}.`, cure, { cause: error });
  }
}

/** Why a folder cannot be opened that has no file of this name. */
export const lacking = (host: Host, folder: string, name: string): string =>
  host.stat(folder) === undefined ? 'There is no such folder.' : `The folder has no ${name}.`;

/** How a file of weights is refused: the code of the error, and the help if the file is damaged. */
interface Refusal {
  readonly code: ModelErrorCode;
  readonly help: string;
}

/** Bytes of a file of weights; `kind` is what its help calls it. */
export function fileSize(host: Host, path: string, kind: string, code: ModelErrorCode): number {
  const stat = host.stat(path);
  if (stat === undefined || stat.isFolder)
    throw new ModelError('model_not_found', path, 'There is no such file.', `Give a ${kind} file.`);
  refusePointer(host, path, stat.size, code);
  return stat.size;
}

/** Bytes of a file, 8-byte aligned in memory, so that typed arrays can be laid over them. */
export function readBytes(
  host: Host,
  path: string,
  start: number,
  length: number,
  { code, help }: Refusal,
): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  try {
    const bytes = host.readBytes(path, start, length);
    if (bytes.byteLength === length) return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
    throw new ModelError(
      code,
      path,
      `${bytes.byteLength} of ${length} bytes could be read at ${start}.`,
      help,
    );
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const cure = error.code === 'no_access' ? 'Check its permissions.' : help;
    throw new ModelError(code, path, `The file could not be read: ${error.detail}.`, cure, { cause: error });
  }
}

/**
 * What Git LFS leaves in place of a file that has not been fetched begins so, and is no longer than this (git-lfs,
 * `docs/spec.md`).
 */
const POINTER = 'version https://git-lfs.github.com/spec/';
const MAX_POINTER_BYTES = 1024;

function refusePointer(host: Host, path: string, size: number, code: ModelErrorCode): void {
  if (size < POINTER.length || size > MAX_POINTER_BYTES) return;
  if (new TextDecoder().decode(host.readBytes(path, 0, POINTER.length)) !== POINTER) return;
  throw new ModelError(
    code,
    path,
    'The file is a Git LFS pointer: its content has not been fetched.',
    'Run `git lfs pull` in the repository that it is from, or fetch the model again.',
  );
}

const LONGEST = 100;

/** A value of a stranger's file as a message shows it: in JSON, and not at length. */
export function shown(value: unknown): string {
  const plain = (_: string, part: unknown): unknown => (typeof part === 'bigint' ? Number(part) : part);
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value, plain) ?? String(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Many questions from a file: JSON lines, one question each. */
import { basename } from 'node:path';
import * as v from 'valibot';
import type { ChatMessage } from '../../compute/models/types.js';
import { nearest } from '../../language/diagnostics/did-you-mean.js';
import { error } from '../../language/diagnostics/make.js';
import { type Place, UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { anyObject, type Json, JsonFault, parseJson } from '../../language/host/json.js';
import { lossyText, notUtf8At } from '../../language/source/utf8.js';

export interface Question {
  readonly at: Place;
  readonly messages: readonly ChatMessage[];
}

const KEYS = ['question', 'messages'] as const;

/**
 * The questions of a file, in its order: `{ "question": … }` or `{ "messages": […] }`.
 * Other fields are passed over, and so are blank lines. Throws a `UserError` at the first line that is neither, or a
 * `HostError`.
 */
export function readQuestions(host: Host, path: string): readonly Question[] {
  const text = decoded(host.readBytes(path), path).replace(/^\ufeff/, '');
  const questions = text.split(/\r?\n/).flatMap((line, index): Question[] => {
    if (line.trim() === '') return [];
    const at = { file: path, line: index + 1, column: 1 };
    return [{ at, messages: messagesOf(line, at) }];
  });
  if (questions.length === 0)
    throw wrong({ file: path, line: 0, column: 0 }, `\`${basename(path)}\` has no questions`);
  return questions;
}

/** Text of bytes that must be UTF-8; `name` is the file that errors name. Throws a `UserError` with the line. */
export function decoded(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UserError(
      error('FTP0872', { file: name, ...brokenAt(bytes) }, `\`${basename(name)}\` is not UTF-8 text`, {
        help: 'convert it, for example with `iconv -f latin1 -t utf-8`',
      }),
    );
  }
}

function brokenAt(bytes: Uint8Array): { readonly line: number; readonly column: number } {
  const lossy = lossyText(bytes);
  const before = lossy.slice(0, notUtf8At(bytes, lossy)).split('\n');
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}

const MESSAGES = v.array(
  v.object({ role: v.picklist(['system', 'user', 'assistant']), content: v.string() }),
);

function messagesOf(line: string, at: Place): readonly ChatMessage[] {
  const row = parsed(line, at);
  if (typeof row['question'] === 'string') return [{ role: 'user', content: row['question'] }];
  if (row['question'] !== undefined) throw wrong(at, '`question` must be a string');
  const { messages } = row;
  if (messages === undefined) {
    const key = Object.keys(row).find((name) => nearest(name, KEYS) !== undefined);
    throw wrong(
      at,
      'the line has no `question` and no `messages`',
      key === undefined ? undefined : `did you mean \`${nearest(key, KEYS)}\` instead of \`${key}\`?`,
    );
  }
  if (!v.is(MESSAGES, messages) || messages.length === 0)
    throw wrong(at, '`messages` must be a list of `{ "role": …, "content": … }`');
  if (messages.at(-1)?.role !== 'user') throw wrong(at, 'the last of the `messages` must be from the `user`');
  return messages;
}

function parsed(line: string, at: Place): Json {
  const row = parseJson(anyObject, line);
  if (!(row instanceof JsonFault)) return row;
  if (row.value !== undefined) throw wrong(at, 'the line is not a JSON object');
  const position = /at position (\d+)/.exec(row.detail)?.[1];
  throw wrong({ ...at, column: Number(position ?? line.length) + 1 }, 'the line is not JSON');
}

const wrong = (at: Place, message: string, help?: string): UserError =>
  new UserError(
    error('FTP0873', at, message, {
      help: help ?? 'write one object per line: `{ "question": "Is the MIT License free?" }`',
    }),
  );

/** A lock as text: keys sorted, one line per file, so that a change is a small diff and a merge seldom meets another. */

import { resolve } from 'node:path';
import { lockConflict, lockUnreadable } from '../../language/diagnostics/catalogue/lock.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { JsonFault, parseJson } from '../../language/host/json.js';
import { LOCK, type Lock, type LockedEntry, type LockedFile } from '../../language/schemas/lock-file.js';

export function lockText({ version, models, data, files, modules }: Lock): string {
  const sections = [
    `  "version": ${version}`,
    section('models', models, entry),
    section('data', data, entry),
    section('files', files, line),
    section('modules', modules, line),
  ];
  return `{\n${sections.join(',\n')}\n}\n`;
}

function section<T>(name: string, values: Readonly<Record<string, T>>, show: (value: T) => string): string {
  const lines = sorted(values).map(([key, value]) => `    ${JSON.stringify(key)}: ${show(value)}`);
  return `  "${name}": ${block(lines, '  ')}`;
}

function entry({ commit, licence, files }: LockedEntry): string {
  const lines = sorted(files).map(([name, file]) => `        ${JSON.stringify(name)}: ${line(file)}`);
  const fields = [
    ...(commit === undefined ? [] : [`      "commit": ${JSON.stringify(commit)}`]),
    ...(licence === undefined ? [] : [`      "licence": ${JSON.stringify(licence)}`]),
    `      "files": ${block(lines, '      ')}`,
  ];
  return block(fields, '    ');
}

const block = (lines: readonly string[], indent: string): string =>
  lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;

/** `{ "bytes": 8, "sha256": "…" }` on one line. */
const line = ({ bytes, sha256, rows }: Partial<LockedFile>): string => {
  const fields = Object.entries({ bytes, sha256, rows })
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${JSON.stringify(name)}: ${JSON.stringify(field)}`);
  return `{ ${fields.join(', ')} }`;
};

const sorted = <T>(values: Readonly<Record<string, T>>): readonly (readonly [string, T])[] =>
  Object.entries(values).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** A lock has a line per file: no pipeline reads so many. */
const MOST_BYTES = 32_000_000;

/**
 * The lock next to a pipeline, by its path for people; a diagnostic where it cannot be used. Others write into the
 * repository too: nothing of it is believed before it has been looked at.
 */
export function openLock(host: Host, name: string): Lock | Diagnostic | undefined {
  const path = resolve(host.cwd, name);
  const stat = host.stat(path);
  if (stat === undefined) return undefined;
  if (stat.isFolder) return lockUnreadable(name, 'it is a folder');
  if (stat.size > MOST_BYTES)
    return lockUnreadable(name, `it has ${stat.size} bytes; at most ${MOST_BYTES} are read`);
  try {
    return parseLock(host.readText(path), name);
  } catch (error) {
    if (error instanceof HostError) return lockUnreadable(name, error.detail);
    throw error;
  }
}

export function parseLock(text: string, name: string): Lock | Diagnostic {
  const conflict = text
    .split('\n')
    .findIndex((line) => /^\uFEFF?(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)/.test(line));
  if (conflict >= 0) return lockConflict(name, conflict + 1);
  const lock = parseJson(LOCK, text);
  return lock instanceof JsonFault ? lockUnreadable(name, lock.detail) : lock;
}

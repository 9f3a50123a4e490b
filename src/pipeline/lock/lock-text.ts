/** A lock as text: keys sorted, one line per file, so that a change is a small diff and a merge seldom meets another. */
import type { Lock, LockedEntry, LockedFile } from '../../language/schemas/lock-file.js';

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

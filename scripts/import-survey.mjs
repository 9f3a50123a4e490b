// Imports every YAML and JSON file of folders of examples, checks each pipeline as `ftpc check` does, and counts keys:
//   node scripts/import-survey.mjs [--list] FOLDER [FOLDER..]
// With --list, also what is refused, every error, and every key that is not translated. Run it where the tool is run, so that
// the paths in its files lead somewhere.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { nodeHost } from '../dist/src/language/host/node-host.js';
import { checkFile } from '../dist/src/language/lint/check-file.js';
import { importFile } from '../dist/src/tools/import/import-file.js';

const words = process.argv.slice(2);
const list = words.includes('--list');
const folders = words.filter((word) => !word.startsWith('--'));
const host = nodeHost();

/** Diagnostics for files and folders that are not on this machine. */
const NOT_HERE = new Set(['FTP0316', 'FTP0317', 'FTP0752']);

const filesIn = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path).flatMap((name) => filesIn(join(path, name)))
    : /^\.(ya?ml|json)$/.test(extname(path))
      ? [path]
      : [];

async function survey(file) {
  const bytes = readFileSync(file);
  const imported = await importFile(host, {
    file,
    bytes,
    fileFolder: dirname(resolve(file)),
    outputFolder: host.cwd,
    devices: 1,
  });
  if (imported.text === undefined) return { file, imported, kind: kindOf(imported) };
  const path = resolve('imported.ftp');
  const overlay = {
    ...host,
    readText: (name) => (name === path ? imported.text : host.readText(name)),
    readBytes: (name, ...rest) =>
      name === path ? new TextEncoder().encode(imported.text) : host.readBytes(name, ...rest),
    stat: (name) =>
      name === path ? { size: imported.text.length, isFolder: false, modified: 0 } : host.stat(name),
  };
  const errors = checkFile(overlay, 'imported.ftp').diagnostics.filter(
    ({ severity }) => severity === 'error',
  );
  return { file, imported, kind: 'imported', errors };
}

function kindOf({ keys, diagnostics }) {
  if (keys.length === 0) return 'other';
  if (keys.some(({ status }) => status === 'refused') || diagnostics.some(({ code }) => code === 'FTP1605'))
    return 'refused';
  // It trains nothing: a file for answering, merging or a cluster.
  if (diagnostics.every(({ code, severity }) => code === 'FTP1607' || severity !== 'error')) return 'other';
  return 'wrong';
}

const all = [];
for (const folder of folders) for (const file of filesIn(folder)) all.push(await survey(file));

const of = (kind) => all.filter((one) => one.kind === kind);
const keys = of('imported').flatMap(({ imported }) => imported.keys);
const count = (...statuses) => keys.filter(({ status }) => statuses.includes(status)).length;
const share = (part) => `${part} (${((100 * part) / Math.max(keys.length, 1)).toFixed(1)} %)`;
const failing = of('imported').filter(({ errors }) => errors.some(({ code }) => !NOT_HERE.has(code)));
const missing = of('imported').filter(({ errors }) => errors.some(({ code }) => NOT_HERE.has(code)));

console.log(`files                    ${all.length}
imported                 ${of('imported').length}
  pass ftpc check        ${of('imported').length - failing.length} (of which ${missing.length} name files that are not here)
refused, with the reason ${of('refused').length}
train nothing            ${of('other').length}
wrong                    ${of('wrong').length}
keys of the imported     ${keys.length}
  translated             ${share(count('translated'))}
  need nothing           ${share(count('automatic'))}
  without a value        ${share(count('unset'))}
  listed with the reason ${share(count('left'))}
  unknown                ${share(count('unknown'))}`);

if (list) {
  for (const { file, imported } of [...of('refused'), ...of('other'), ...of('wrong')])
    console.log(
      `\n${file}\n  ${imported.diagnostics
        .filter(({ severity }) => severity === 'error')
        .map(({ code, message }) => `${code} ${message}`)
        .join('\n  ')}`,
    );
  for (const { file, errors } of failing)
    console.log(`\n${file}\n  ${errors.map(({ code, message }) => `${code} ${message}`).join('\n  ')}`);
  const counts = new Map();
  for (const { key, status, why, value } of keys)
    if (status === 'left' || status === 'unknown') {
      const name = `${status} ${key}: ${why}`;
      counts.set(name, [...(counts.get(name) ?? []), value]);
    }
  console.log();
  for (const [name, values] of [...counts].sort((left, right) => right[1].length - left[1].length))
    console.log(`${values.length} ${name} ${[...new Set(values)].slice(0, 3).join(' ')}`);
}

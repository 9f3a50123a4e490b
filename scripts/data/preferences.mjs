/** Writes pipelines/data/preferences/modal.jsonl: answers to the questions of data/legal/modal.jsonl, each with a worse one. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERBS = ['may', 'must', 'shall', 'will'];

const data = fileURLToPath(new URL('../../pipelines/data', import.meta.url));

const sentence = (verb) => `It uses "${verb}".`;

/** What is worse than a sentence with the right verb, by kind: the verb alone, and a sentence with the next verb of the list. */
const WORSE = {
  form: (verb) => verb,
  content: (verb) => sentence(VERBS[(VERBS.indexOf(verb) + 1) % VERBS.length]),
};

/** Two pairs of each row, in the order of the file. */
export function preferenceRows() {
  const rows = readFileSync(join(data, 'legal/modal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return Object.entries(WORSE).flatMap(([kind, worse]) =>
    rows.map(({ instruction, input, output, licence, group }) => ({
      prompt: [{ role: 'user', content: `${instruction}\n\n${input}` }],
      chosen: sentence(output),
      rejected: worse(output),
      licence,
      group,
      kind,
    })),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(data, 'preferences');
  mkdirSync(folder, { recursive: true });
  const rows = preferenceRows();
  writeFileSync(join(folder, 'modal.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  process.stdout.write(`rows: ${rows.length}\n`);
}

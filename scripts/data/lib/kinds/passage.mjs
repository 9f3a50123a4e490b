import { balance, capAnswers, rank } from '../order.mjs';
import { row } from '../rows.mjs';

/** Questions whose answer can be read off a passage. Each takes the passages that no kind before it has used. */

const TOPICS = [
  ['warranty', /\bwarrant(?:y|ies)\b/i],
  ['patents', /\bpatents?\b/i],
  ['trademarks', /\btrademarks?\b/i],
  ['liability', /\bliab(?:ility|le|ilities)\b/i],
  ['termination', /\bterminat(?:e|es|ed|ion)\b/i],
  ['source code', /\bsource (?:code|form)\b/i],
  ['copyright', /\bcopyrights?\b/i],
];

export function mentionRows(pool) {
  const used = new Set();
  const rows = [];
  for (const [topic, pattern] of TOPICS) {
    const asked = pool
      .filter((passage) => !used.has(passage))
      .map((passage) => ({ passage, output: pattern.test(passage.text) ? 'yes' : 'no' }));
    for (const { passage, output } of balance(asked, (r) => r.output, 160)) {
      used.add(passage);
      const wordings = [`Does this passage mention ${topic}?`, `Is ${topic} mentioned here?`];
      rows.push({
        ...row(
          'mention',
          passage.licence,
          topic.endsWith('s') ? wordings.slice(0, 1) : wordings,
          passage.text,
          output,
        ),
        passage,
      });
    }
  }
  return rows;
}

const MODALS = ['may', 'must', 'shall', 'will'];

/** Exactly one of the four words stands in the passage, once or more. */
export function modalRows(pool) {
  const rows = pool.flatMap((passage) => {
    const found = MODALS.filter((word) => new RegExp(`\\b${word}\\b`, 'i').test(passage.text));
    if (found.length !== 1) return [];
    const wordings = ['Which of may, must, shall and will does this passage use?'];
    return [{ ...row('modal', passage.licence, wordings, passage.text, found[0]), passage }];
  });
  return balance(rows, (r) => r.output, 320);
}

export function termRows(pool) {
  const half = definitions(pool).filter(({ passage }) => rank(`term\n${passage.text}`) < 0.6);
  return capAnswers(
    half.map(({ passage, term }) => ({
      ...row(
        'term',
        passage.licence,
        ['Which term is defined here?', 'What does this passage define?'],
        passage.text,
        term,
      ),
      passage,
    })),
    420,
    0.05,
  );
}

export function definitionRows(pool) {
  return definitions(pool)
    .filter(({ meaning }) => meaning.split(' ').length <= 28)
    .slice(0, 220)
    .map(({ passage, term, meaning }) => ({
      ...row('definition', passage.licence, [`How is "${term}" defined here?`], passage.text, meaning),
      passage,
    }));
}

const DEFINES =
  /^(?:\(?[\w.]{1,6}[).]?\s+)?(?:An?\s+|The\s+)?["“‘]([A-Z][^"”’\n]{1,32})["”’]\)?\s+(?:means|shall mean|refers to|is defined as)\s+(.+?)\.?$/;

function definitions(pool) {
  return pool.flatMap((passage) => {
    const match = DEFINES.exec(passage.sentences[0]);
    return match === null ? [] : [{ passage, term: match[1].replace(/,$/, ''), meaning: match[2] }];
  });
}

const LICENCE =
  /\b((?:(?:[A-Z][A-Za-z.+'-]*|[A-Z]+)\s+){1,5}(?:Licen[sc]e)(?:\s+(?:[Vv]ersion|v\.?)\s+\d+(?:\.\d+)*)?)\b/g;
const PLAIN = /^(?:This|The|That|Such|Each|Any|A|An|Your|Our|Under|If|No|Of|In|By|Subject|Version)\s+/;

/** The one licence that a passage names with at least three words (`GNU General Public License`). */
export function namedRows(pool) {
  const rows = pool.flatMap((passage) => {
    const names = new Set((passage.text.match(LICENCE) ?? []).map((name) => name.replace(PLAIN, '')));
    const [name] = names;
    if (names.size !== 1 || name.split(' ').length < 3 || PLAIN.test(name)) return [];
    const wordings = ['Which license does this passage name?', 'Name the license that is mentioned here.'];
    return [{ ...row('named', passage.licence, wordings, passage.text, name), passage }];
  });
  return capAnswers(rows, 300, 0.06);
}

/** The one phrase in quotation marks. */
export function quotedRows(pool) {
  const rows = pool.flatMap((passage) => {
    const found = [...passage.text.matchAll(/["“]([^"”“]{2,30})["”]/g)].map((match) =>
      match[1].replace(/[.,;]$/, ''),
    );
    if (found.length !== 1 || DEFINES.test(passage.sentences[0])) return [];
    const wordings = ['Which words stand in quotation marks?', 'What is quoted in this passage?'];
    return [{ ...row('quoted', passage.licence, wordings, passage.text, found[0]), passage }];
  });
  return capAnswers(rows, 300, 0.08);
}

/** Two sentences, one of which mentions the topic: that sentence. */
export function extractRows(pool) {
  const rows = pool.flatMap((passage) => {
    if (passage.sentences.length !== 2) return [];
    for (const [topic, pattern] of TOPICS) {
      const hits = passage.sentences.filter((sentence) => pattern.test(sentence));
      if (hits.length !== 1 || hits[0].split(' ').length > 24) continue;
      return [
        {
          ...row('extract', passage.licence, [`Which sentence mentions ${topic}?`], passage.text, hits[0]),
          passage,
        },
      ];
    }
    return [];
  });
  return rows.slice(0, 260);
}

/** The sentence that follows in the licence. */
export function continuationRows(pool) {
  const rows = pool.flatMap((passage) => {
    const [first, second] = passage.sentences;
    if (second === undefined || second.split(' ').length > 24 || first.split(' ').length < 5) return [];
    return [
      {
        ...row(
          'continuation',
          passage.licence,
          ['What does the license say next?', 'Continue this passage.'],
          first,
          second,
        ),
        passage,
      },
    ];
  });
  return rows.slice(0, 300);
}

import { capAnswers, takeInTurn } from '../order.mjs';
import { isEnglish, paragraphs, wordCount } from '../passages.mjs';
import { row } from '../rows.mjs';

/** Headings as they stand in many texts, by what they say; the first that fits counts. */
const HEADINGS = [
  [/definition|glossary/i, 'Definitions'],
  [/terminat/i, 'Termination'],
  [/warrant/i, 'Disclaimer of Warranty'],
  [/liabilit/i, 'Limitation of Liability'],
  [/patent/i, 'Patents'],
  [/trademark|no endorsement/i, 'Trademarks'],
  [/jurisdiction|governing law|applicable law|litigation|arbitration|venue|disputes/i, 'Governing Law'],
  [/source code|source form/i, 'Source Code'],
  [/versions? of|new versions|revised versions|future revisions/i, 'Versions of the License'],
  [/preamble|introduction|purpose/i, 'Preamble'],
  [/grant|rights? of use|right to use|basic permissions/i, 'Grant of Rights'],
  [/miscellaneous|^general$|general provisions/i, 'Miscellaneous'],
  [/modif|derivative works/i, 'Modifications'],
  [/distribut|conveying|redistribution/i, 'Distribution'],
  [/contribution/i, 'Contributions'],
  [/restriction/i, 'Restrictions'],
];

export const headingOf = (heading) =>
  heading === null ? undefined : HEADINGS.find(([pattern]) => pattern.test(heading))?.[1];

export function headingRows(pool) {
  const rows = pool.flatMap((passage) => {
    const heading = headingOf(passage.heading);
    if (heading === undefined) return [];
    const made = row(
      'heading',
      passage.licence,
      ['Under which heading does this passage stand?', 'Which section is this passage from?'],
      passage.text,
      heading,
    );
    return [{ ...made, passage }];
  });
  return capAnswers(rows, 620, 0.14);
}

/** Paragraphs that open with their number and title: `4. Redistribution. You may …`, cut after a few words. */
export function sectionRows(licences) {
  const opening = [];
  for (const licence of licences) {
    for (const { whole, heading, number, opens } of paragraphs(licence.text)) {
      if (!opens || !isEnglish(whole)) continue;
      const head = cut(whole, 20);
      if (wordCount(head) >= 10) opening.push({ licence, head, heading, number });
    }
  }
  const turn = takeInTurn(
    distinct(opening),
    (o) => o.licence.group,
    (o) => o.head,
  );
  const number = turn
    .filter((_, i) => i % 2 === 0)
    .map(({ licence, head, number }) =>
      row(
        'section_number',
        licence,
        ['What number has this section?', 'Give the number of this section.'],
        head,
        number,
      ),
    );
  const title = turn
    .filter((_, i) => i % 2 === 1)
    .map(({ licence, head, heading }) =>
      row(
        'section_title',
        licence,
        ['What is the title of this section?', 'Give the title of this section.'],
        head,
        heading,
      ),
    );
  return [...capAnswers(number, 260, 0.15), ...capAnswers(title, 200, 0.05)];
}

const cut = (text, words) => text.split(' ').slice(0, words).join(' ');

function distinct(opening) {
  const seen = new Set();
  return opening.filter(({ head }) => {
    const key = head
      .toLowerCase()
      .replace(/[^a-z]+/g, ' ')
      .slice(0, 60);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

import { capAnswers, rank, takeInTurn } from '../order.mjs';
import { row } from '../rows.mjs';

const LINE =
  /copyright\s+(?:\(c\)\s*|©\s*)?((?:19|20)\d\d)((?:\s*[-–,]\s*(?:19|20)?\d\d)*),?\s+(?:by\s+)?([A-Z][^<>\n[\]{}]{3,60}?)(?:\.|,|;)?\s*(?:all rights reserved\.?)?$/i;

/** Lines of the texts that state a copyright: first year and holder. A line is asked about once. */
export function copyrightRows(licences) {
  const seen = new Set();
  const lines = [];
  for (const licence of licences) {
    for (const raw of licence.text.split('\n')) {
      const line = raw
        .replace(/^[\s*#/;-]+/, '')
        .replace(/\s+/g, ' ')
        .trim();
      const match = LINE.exec(line);
      if (match === null || seen.has(line.toLowerCase()) || /[^\x20-\x7e©]/.test(line)) continue;
      seen.add(line.toLowerCase());
      lines.push({ licence, line, year: match[1], range: match[2] !== '', holder: match[3].trim() });
    }
  }
  const asked = takeInTurn(
    lines,
    (l) => l.licence.group,
    (l) => l.line,
  );
  const year = asked
    .filter(({ line }) => rank(`year\n${line}`) < 0.6)
    .map(({ licence, line, year, range }) =>
      row(
        'year',
        licence,
        range
          ? ['Which is the first year in this copyright line?']
          : ['Which year stands in this copyright line?', 'From which year is this copyright?'],
        line,
        year,
      ),
    );
  const holder = asked
    .filter(({ line, holder }) => rank(`year\n${line}`) >= 0.6 && !/\d|copyright/i.test(holder))
    .map(({ licence, line, holder }) =>
      row(
        'holder',
        licence,
        ['Who holds the copyright?', 'Who is named in this copyright line?'],
        line,
        holder,
      ),
    );
  return [...capAnswers(year, 260, 0.1), ...capAnswers(holder, 200, 0.05)];
}

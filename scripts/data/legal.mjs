/** Writes pipelines/data/legal/*.jsonl, one file per kind of question: facts of the SPDX licence texts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyrightRows } from './lib/kinds/copyright.mjs';
import { approvalRows, creativeCommonsRows, identifierRows, versionRows } from './lib/kinds/names.mjs';
import * as passage from './lib/kinds/passage.mjs';
import { headingRows, sectionRows } from './lib/kinds/sections.mjs';
import { readLicences } from './lib/licences.mjs';
import { withoutNearCopies } from './lib/near.mjs';
import { takeInTurn } from './lib/order.mjs';
import { passages } from './lib/passages.mjs';

/** A passage is asked about once, by the first kind that takes it: rare kinds come first. */
const PASSAGE_KINDS = [
  passage.namedRows,
  passage.termRows,
  passage.definitionRows,
  passage.quotedRows,
  passage.extractRows,
  headingRows,
  passage.modalRows,
  passage.mentionRows,
  passage.continuationRows,
];

/** Every row, in the order of the files. */
export function legalRows() {
  const licences = readLicences();
  const all = licences.flatMap((licence) => passages(licence, 8, 34));
  let pool = takeInTurn(
    withoutNearCopies(all, (p) => p.text, 0.6),
    (p) => p.licence.group,
    (p) => p.text,
  );
  const rows = [
    ...versionRows(licences),
    ...identifierRows(licences),
    ...creativeCommonsRows(licences),
    ...approvalRows(licences),
    ...copyrightRows(licences),
    ...sectionRows(licences),
  ];
  for (const kind of PASSAGE_KINDS) {
    const made = kind(pool);
    const used = new Set(made.map((row) => row.passage));
    pool = pool.filter((p) => !used.has(p));
    rows.push(...made.map(({ passage: _, ...row }) => row));
  }
  const asked = new Map();
  for (const row of rows) {
    const question = JSON.stringify([row.instruction, row.input]);
    if (!asked.has(question)) asked.set(question, row);
  }
  return withoutNearCopies([...asked.values()], (r) => `${r.instruction} ${r.input ?? ''} ${r.output}`, 0.85);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../../pipelines/data/legal', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const rows = legalRows();
  for (const kind of new Set(rows.map((row) => row.kind))) {
    const lines = rows.filter((row) => row.kind === kind).map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(join(folder, `${kind}.jsonl`), lines.join(''));
    process.stdout.write(`${kind}: ${lines.length}\n`);
  }
  process.stdout.write(`rows: ${rows.length}, groups: ${new Set(rows.map((row) => row.group)).size}\n`);
}

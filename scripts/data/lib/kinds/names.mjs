import { balance, capAnswers, rank, takeInTurn } from '../order.mjs';
import { row } from '../rows.mjs';

/** Questions about names alone: version, SPDX identifier, Creative Commons conditions, approval by the OSI. */
const inTurn = (rows) =>
  takeInTurn(
    rows,
    (r) => r.group,
    (r) => `${r.kind}\n${r.licence}\n${r.instruction}`,
  );

export function versionRows(licences) {
  const rows = [...versionsOfNames(licences), ...versionsOfIdentifiers(licences)];
  return capAnswers(inTurn(rows), 560, 0.25);
}

function versionsOfIdentifiers(licences) {
  return licences.flatMap((licence) => {
    const versions = licence.id.match(/(?<![\w.])\d+(?:\.\d+)+(?![\w.])/g) ?? [];
    if (versions.length !== 1) return [];
    const wordings = [`Which version does the identifier ${licence.id} name?`];
    return [row('version', licence, wordings, undefined, versions[0])];
  });
}

function versionsOfNames(licences) {
  return licences.flatMap((licence) => {
    const versions = licence.name.match(/(?<![\w.])v?\d+(?:\.\d+)+(?![\w.])/g) ?? [];
    if (versions.length !== 1) return [];
    const name = licence.name;
    return [
      row(
        'version',
        licence,
        [`Which version is "${name}"?`, `Give the version number of "${name}".`],
        undefined,
        versions[0].replace(/^v/, ''),
      ),
    ];
  });
}

export function identifierRows(licences) {
  const rows = licences
    .filter(({ id }) => id.length <= 14)
    .map((licence) =>
      row('spdx', licence, [`What is the SPDX identifier of "${licence.name}"?`], undefined, licence.id),
    );
  return inTurn(distinct(rows)).slice(0, 200);
}

/** Two identifiers (`GPL-2.0` and a deprecated twin) may have one name: then the question has more than one answer. */
function distinct(rows) {
  const count = new Map();
  for (const { instruction } of rows) count.set(instruction, (count.get(instruction) ?? 0) + 1);
  return rows.filter(({ instruction }) => count.get(instruction) === 1);
}

const CONDITIONS = [
  [/Non-?\s?Commercial/, 'non-commercial use only'],
  [/No-?\s?Deriv/, 'no derivatives'],
  [/Share-?\s?Alike/, 'share alike'],
];

export function creativeCommonsRows(licences) {
  const rows = licences
    .filter(({ name }) => /^Creative Commons Attribution/.test(name))
    .flatMap((licence) =>
      CONDITIONS.map(([pattern, condition]) =>
        row(
          'cc_condition',
          licence,
          [`Does the name "${licence.name}" mark the condition ${condition}?`],
          undefined,
          pattern.test(licence.name) ? 'yes' : 'no',
        ),
      ),
    );
  return balance(inTurn(rows), (r) => r.output + r.instruction.replace(/.*condition/, ''), 150);
}

export function approvalRows(licences) {
  const rows = licences.map((licence) =>
    row(
      'osi',
      licence,
      [`Is the ${licence.name.replace(/^the /i, '')} approved by the OSI?`],
      undefined,
      licence.osiApproved ? 'yes' : 'no',
    ),
  );
  const named = distinct(rows).sort((a, b) => rank(a.instruction) - rank(b.instruction));
  return balance(named, (r) => r.output, 100);
}

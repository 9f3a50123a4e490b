import { createRequire } from 'node:module';
import { shingles, similarPairs } from './near.mjs';
import { byCodeUnit } from './order.mjs';

/** Full texts whose sets of five-word runs overlap at least this much (Jaccard) are near copies. */
export const SIMILAR = 0.4;

/** Every licence of the SPDX list by id, with its group: near copies and versions of one licence share it. */
export function readLicences() {
  const list = createRequire(import.meta.url)('spdx-license-list/full.js');
  const licences = Object.keys(list)
    .sort(byCodeUnit)
    .map((id) => ({
      id,
      name: list[id].name.replace(/\s+/g, ' ').trim(),
      osiApproved: list[id].osiApproved === true,
      text: list[id].licenseText.replace(/\r\n?/g, '\n'),
    }));
  const groups = groupOf(licences);
  return licences.map((licence, i) => ({ ...licence, group: groups[i] }));
}

/** `GPL` for `GPL-2.0-with-font-exception`, `CC-BY-NC` for `CC-BY-NC-3.0-DE`: the id up to its version. */
export function family(id) {
  return id.replace(/-?v?\d+(?:\.\d+)*(?:[-+].*|\+|[a-z])?$/i, '') || id;
}

/** Connected components of "near copy of" and "same family"; a group is called after its first id. */
function groupOf(licences) {
  const parent = licences.map((_, i) => i);
  const root = (i) => {
    while (parent[i] !== i) i = parent[i];
    return i;
  };
  const join = (a, b) => {
    const [low, high] = [root(a), root(b)].sort((x, y) => x - y);
    parent[high] = low;
  };
  const firstOfFamily = new Map();
  licences.forEach(({ id }, i) => {
    const name = family(id);
    if (firstOfFamily.has(name)) join(firstOfFamily.get(name), i);
    else firstOfFamily.set(name, i);
  });
  const sets = licences.map(({ text }) => shingles(text, 5));
  for (const [a, b] of similarPairs(sets, SIMILAR)) join(a, b);
  return licences.map((_, i) => licences[root(i)].id);
}

import { comment, withoutControls } from './literals.js';
import type { KeyRecord } from './translation.js';

/** What became of the keys that are no settings above: nothing of the file is lost silently. */
export function keyComments(keys: readonly KeyRecord[]): readonly string[] {
  const of = (...statuses: readonly KeyRecord['status'][]): readonly KeyRecord[] =>
    keys.filter(({ status }) => statuses.includes(status));
  const leftOut = byReason(of('left', 'unknown'), ({ key: name, value }) => `${safeName(name)}: ${value}`);
  const automatic = byReason(of('automatic'), ({ key: name }) => safeName(name));
  const unset = [...new Set(of('unset').map(({ key: name }) => safeName(name)))];
  const sections = [
    ['Not translated:', leftOut.flatMap(([why, texts]) => reasonLines(texts, why))],
    ['Needs nothing here:', automatic.flatMap(([why, texts]) => reasonLines([texts.join(', ')], why))],
    ['Without a value:', unset.length === 0 ? [] : comment(unset.join(', '), '  ')],
  ] as const;
  return sections
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([heading, lines], index) => [...(index === 0 ? [] : ['//']), `// ${heading}`, ...lines]);
}

const reasonLines = (texts: readonly string[], why: string): readonly string[] => [
  ...texts.flatMap((text) => comment(text, '  ')),
  ...comment(why, '    '),
];

/** Keys with the same reason, which is said once. */
function byReason(
  keys: readonly KeyRecord[],
  textOf: (record: KeyRecord) => string,
): readonly (readonly [why: string, texts: readonly string[]])[] {
  const reasons = new Map<string, Set<string>>();
  for (const record of keys) {
    const why = record.why ?? '';
    reasons.set(why, (reasons.get(why) ?? new Set()).add(textOf(record)));
  }
  return [...reasons].map(([why, texts]) => [why, [...texts]]);
}

/** A key of a file may be anything. */
export const safeName = (name: string): string => withoutControls(name).replace(/^(.{80}).+$/u, '$1…');

import { createHash } from 'node:crypto';

/** A number in [0, 1) that depends on the key alone: every choice below is made by it, so a rerun gives the same bytes. */
export function rank(key) {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) / 2 ** 48;
}

export const pick = (list, key) => list[Math.floor(rank(`pick\n${key}`) * list.length)];

/** By code unit: the same order under every locale. */
export const byCodeUnit = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** One item of each group in turn, groups and items in hashed order, so that no large group crowds out the others. */
export function takeInTurn(items, groupOf, keyOf) {
  const seen = new Map();
  const ranked = items.map((item) => ({ item, at: rank(keyOf(item)) })).sort((a, b) => a.at - b.at);
  return ranked
    .map(({ item, at }) => {
      const turn = seen.get(groupOf(item)) ?? 0;
      seen.set(groupOf(item), turn + 1);
      return { item, turn, at };
    })
    .sort((a, b) => a.turn - b.turn || a.at - b.at)
    .map(({ item }) => item);
}

/** At most `most` rows, as equally many of each answer as there are. */
export function balance(rows, answerOf, most) {
  const answers = new Map();
  for (const row of rows) answers.set(answerOf(row), [...(answers.get(answerOf(row)) ?? []), row]);
  const each = Math.min(Math.floor(most / answers.size), ...[...answers.values()].map((list) => list.length));
  return [...answers.values()].flatMap((list) => list.slice(0, each));
}

/** At most `most` rows, none of whose answers has more than `share` of them. */
export function capAnswers(rows, most, share) {
  const count = new Map();
  const limit = Math.max(1, Math.floor(most * share));
  const kept = [];
  for (const row of rows) {
    const seen = count.get(row.output) ?? 0;
    if (kept.length >= most || seen >= limit) continue;
    count.set(row.output, seen + 1);
    kept.push(row);
  }
  return kept;
}

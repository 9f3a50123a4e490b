/** Rows of questions and answers to measure with: made of this repository's own pages, the same ones every time. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Of the rows, those that repeat an earlier one, and those that do but for some words. */
const COPIES = 0.03;
const NEAR_COPIES = 0.03;
/** Words of a question and of an answer: about 180 tokens together. */
const QUESTION = { median: 24, spread: 0.5 } as const;
const ANSWER = { median: 95, spread: 0.55 } as const;
/** Earlier rows that one may repeat. */
const KEPT = 512;
/** Rows that are written at once. */
const BATCH = 2048;

/** Numbers in [0, 1): a linear congruential generator (Numerical Recipes). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Each word with those that follow it somewhere, as often as they do. */
function chain(folder: string): ReadonlyMap<string, readonly string[]> {
  const words = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/\s+/))
    .filter((word) => word !== '' && word.length < 30);
  const next = new Map<string, string[]>();
  words.forEach((word, at) => {
    const following = next.get(word) ?? [];
    next.set(word, following);
    following.push(words[(at + 1) % words.length] as string);
  });
  return next;
}

interface Row {
  readonly instruction: string;
  readonly output: string;
}

/** Writes `count` rows as JSON Lines. */
export function writeRows(path: string, count: number, packageFolder: string): void {
  const random = generator(17);
  const next = chain(join(packageFolder, 'docs'));
  const starts = [...next.keys()];
  const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const text = ({ median, spread }: { readonly median: number; readonly spread: number }): string => {
    // the sum of twelve has a variance of one
    const normal = Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
    const length = Math.max(3, Math.round(median * Math.exp(spread * normal)));
    const words = [any(starts)];
    while (words.length < length) words.push(any(next.get(words.at(-1) as string) ?? starts));
    return words.join(' ');
  };
  const changed = ({ instruction, output }: Row): Row => {
    const words = output.split(' ');
    words[Math.floor(random() * words.length)] = any(starts);
    return { instruction, output: words.join(' ') };
  };
  const kept: Row[] = [];
  const made = (): Row => {
    const kind = random();
    if (kept.length > 0 && kind < COPIES) return any(kept);
    if (kept.length > 0 && kind < COPIES + NEAR_COPIES) return changed(any(kept));
    return { instruction: text(QUESTION), output: text(ANSWER) };
  };
  const file = openSync(path, 'w');
  for (let done = 0; done < count; ) {
    const lines: string[] = [];
    for (; lines.length < BATCH && done < count; done++) {
      const row = made();
      kept[done % KEPT] = row;
      lines.push(`${JSON.stringify(row)}\n`);
    }
    writeSync(file, lines.join(''));
  }
  closeSync(file);
}

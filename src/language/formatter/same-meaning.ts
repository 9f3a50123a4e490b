import type { SourceFile } from '../syntax/ast.js';

/** Do two trees say the same, whatever its place, with the same comments? */
export const sameMeaning = (a: SourceFile, b: SourceFile): boolean =>
  meaning(a) === meaning(b) && comments(a) === comments(b);

const PLACES: ReadonlySet<string> = new Set(['span', 'comments']);

const meaning = (tree: SourceFile): string =>
  JSON.stringify(tree, (key, value: unknown) => (PLACES.has(key) ? undefined : value));

const comments = (tree: SourceFile): string =>
  tree.comments
    .map(({ text }) => text.trimEnd())
    .sort()
    .join('\n');

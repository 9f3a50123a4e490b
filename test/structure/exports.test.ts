import { expect } from 'chai';
import { files, filesIn, type Import, importsOf, textOf } from './sources.js';

const DECLARED =
  /^export (?:declare |abstract |async )*(?:function\*?|const|let|class|interface|type|enum) ([\w$]+)/gm;
const GIVEN_ON = /^export (?:type )?\{([^}]*)\}/gm;

/** Names that a file exports, declared there or given on from another one. */
function exportsOf(file: string): readonly string[] {
  const text = textOf(file);
  const declared = [...text.matchAll(DECLARED)].map(([, name = '']) => name);
  const given = [...text.matchAll(GIVEN_ON)].flatMap(([, list = '']) => list.split(','));
  return [...declared, ...given.map((name) => name.trim().split(/\s/).at(-1) ?? '')].filter(
    (name) => name !== '',
  );
}

const wordsOf = (file: string): ReadonlySet<string> => new Set(textOf(file).match(/[A-Za-z_$][\w$]*/g));

/** Names that no file uses that imports theirs, tests included. */
function unusedExports(): readonly string[] {
  const readers = [...files, ...filesIn(['test', 'scripts'], /(?<!\.d)\.m?[jt]s$/)];
  const words = new Map(readers.map((file) => [file, wordsOf(file)]));
  const uses = new Map<string, Import[]>(files.map((file) => [file, []]));
  for (const found of readers.flatMap(importsOf)) uses.get(found.to)?.push(found);
  return [...uses].flatMap(([file, found]) => {
    if (found.some(({ isWhole }) => isWhole)) return [];
    return exportsOf(file)
      .filter((name) => !found.some(({ from }) => words.get(from)?.has(name)))
      .map((name) => `${file} exports ${name}`);
  });
}

describe('exports', () => {
  it('are used by another file; what is used in its own file alone is not exported', () => {
    expect(unusedExports()).to.deep.equal([]);
  });
});

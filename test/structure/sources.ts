/** The files of the program and what they import, read as text: what the tests of the structure look at. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { nodeHost } from '../../src/language/host/node-host.js';

export const root = nodeHost().packageFolder;

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Files below some folders, as paths from the root. */
export const filesIn = (folders: readonly string[], ending: RegExp): readonly string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ending.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );

/** TypeScript of the program, without declarations of other packages. */
export const files = filesIn(['bench', 'grammar', 'src'], /(?<!\.d)\.ts$/);

export interface Import {
  readonly from: string;
  /** A file of the repository, or a package. */
  readonly to: string;
  /** `import * as`: every name may be used. */
  readonly isWhole: boolean;
}

/** What a file imports or gives on, whenever it does. */
export const importsOf = (from: string): readonly Import[] =>
  [...textOf(from).matchAll(/(\*(?: as \w+)?\s+)?(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, whole, to = '']) => ({
      from,
      isWhole: whole !== undefined,
      to: to.startsWith('.') ? sourceOf(relative(root, resolve(root, dirname(from), to))) : to,
    }),
  );

/** The source of a file of JavaScript that is imported. */
const sourceOf = (path: string): string => path.replace(/^dist\//, '').replace(/\.js$/, '.ts');

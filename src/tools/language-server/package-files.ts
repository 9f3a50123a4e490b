/** What ftpc brings: modules of the standard library, each read once, and pages of diagnostics. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PRELUDE } from '../../language/check/modules.js';
import { sourceText } from '../../language/source/text.js';
import type { SourceFile } from '../../language/syntax/ast.js';
import { parse } from '../../language/syntax/parse.js';
import { errorPage, errorPagePath } from '../insight/error-pages.js';
import type { Projects } from './projects.js';
import type { Session } from './session.js';

interface LibraryModule {
  /** `std/data` */
  readonly name: string;
  readonly tree: SourceFile;
}

const read = new Map<string, readonly LibraryModule[]>();

/** What an import may name; the prelude needs none. */
export function libraryModules({ projects }: Session): readonly LibraryModule[] {
  const folder = join(projects.packageFolder, 'stdlib', 'std');
  const known = read.get(folder);
  if (known !== undefined) return known;
  const host = projects.hostAt(folder);
  const modules = host
    .list(folder)
    .filter((file) => file.endsWith('.ftp'))
    .map((file) => {
      const name = `std/${file.slice(0, -'.ftp'.length)}`;
      return { name, tree: parse(sourceText(`${name}.ftp`, host.readText(join(folder, file)))).tree };
    })
    .filter(({ name }) => name !== PRELUDE);
  read.set(folder, modules);
  return modules;
}

export const pageUri = (projects: Projects, code: string): string =>
  pathToFileURL(errorPagePath(projects, code)).href;

/** The page of a diagnostic in Markdown: a link to it, and its first paragraph. */
export function pageText(projects: Projects, code: string): string | undefined {
  const page = errorPage(projects.hostAt(projects.packageFolder), code);
  return page && `[${page.heading}](${pageUri(projects, code)})\n\n${page.body.split('\n\n')[0]}`;
}

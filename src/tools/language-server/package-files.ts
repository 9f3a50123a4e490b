/** Modules of the standard library, read once. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PRELUDE } from '../../language/check/modules.js';
import { HostError } from '../../language/host/host.js';
import { sourceText } from '../../language/source/text.js';
import type { SourceFile } from '../../language/syntax/ast.js';
import { parse } from '../../language/syntax/parse.js';
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

interface ErrorPage {
  readonly title: string;
  /** Its first paragraph. */
  readonly summary: string;
  readonly uri: string;
}

const pagePath = ({ packageFolder }: Projects, code: string): string =>
  join(packageFolder, 'docs', 'errors', `${code}.md`);

export const pageUri = (projects: Projects, code: string): string =>
  pathToFileURL(pagePath(projects, code)).href;

export function errorPage(projects: Projects, code: string): ErrorPage | undefined {
  try {
    const [head = '', , ...rest] = projects
      .hostAt(projects.packageFolder)
      .readText(pagePath(projects, code))
      .split('\n');
    const summary = rest.join('\n').split('\n\n')[0] ?? '';
    return { title: head.replace(/^#\s*/, ''), summary: summary.trim(), uri: pageUri(projects, code) };
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

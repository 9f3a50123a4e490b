/** Pages of the diagnostics, as `ftpc explain` prints them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HostError } from '../../language/host/host.js';
import type { Projects } from './projects.js';

export interface ErrorPage {
  readonly title: string;
  /** Its first paragraph. */
  readonly summary: string;
  readonly uri: string;
}

const pageUri = ({ packageFolder }: Projects, code: string): string =>
  pathToFileURL(join(packageFolder, 'docs', 'errors', `${code}.md`)).href;

export function errorPage(projects: Projects, code: string): ErrorPage | undefined {
  const path = join(projects.packageFolder, 'docs', 'errors', `${code}.md`);
  try {
    const [head = '', , ...rest] = projects.hostAt(projects.packageFolder).readText(path).split('\n');
    const summary = rest.join('\n').split('\n\n')[0] ?? '';
    return { title: head.replace(/^#\s*/, ''), summary: summary.trim(), uri: pageUri(projects, code) };
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

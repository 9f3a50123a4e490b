/** Pages of the diagnostics, as `ftpc explain` prints them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HostError } from '../../language/host/host.js';
import type { Projects } from './projects.js';

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

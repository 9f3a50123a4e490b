/** Pages of the diagnostics in `docs/errors`, one per code. */
import { join } from 'node:path';
import { type Host, HostError } from '../../language/host/host.js';

interface ErrorPage {
  /** `FTP0301: …` */
  readonly heading: string;
  /** The heading without the code. */
  readonly title: string;
  /** What is below the heading. */
  readonly body: string;
  readonly text: string;
}

const folderOf = ({ packageFolder }: Pick<Host, 'packageFolder'>): string =>
  join(packageFolder, 'docs', 'errors');

export const errorPagePath = (host: Pick<Host, 'packageFolder'>, code: string): string =>
  join(folderOf(host), `${code}.md`);

export const errorCodes = (host: Host): readonly string[] =>
  host.list(folderOf(host)).flatMap((name) => /^(FTP\d{4})\.md$/.exec(name)?.[1] ?? []);

/** `undefined` for a code without a page. */
export function errorPage(host: Host, code: string): ErrorPage | undefined {
  try {
    const text = host.readText(errorPagePath(host, code));
    const [first = '', ...rest] = text.split('\n');
    const heading = first.replace(/^#\s*/, '');
    const title = heading.replace(/^FTP\d{4}:?\s*/, '');
    return { heading, title, body: rest.join('\n').trim(), text };
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** The package index of whoever uses this machine: where pip or uv would look, and what it lists (PEP 503, 691, 700). */
import { join } from 'node:path';
import * as v from 'valibot';
import { fetchFailed } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError, homeOf } from '../../language/host/host.js';
import { count, JsonFault, parseJson } from '../../language/host/json.js';
import { fetchText, shown } from './transfer.js';

const PYPI = 'https://pypi.org/simple';
/** JSON where the index has it, else HTML. */
const PAGES = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5';

const FIRST = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL'];
const MORE = ['UV_INDEX', 'UV_EXTRA_INDEX_URL', 'PIP_EXTRA_INDEX_URL'];

/** Files in which pip has its settings; the last one wins. */
function settingsFiles(host: Host): readonly string[] {
  const home = homeOf(host);
  const named = host.env('PIP_CONFIG_FILE') ?? '';
  if (named === '/dev/null') return [];
  const config = host.env('XDG_CONFIG_HOME') || join(home, '.config');
  const mac = join(home, 'Library', 'Application Support', 'pip', 'pip.conf');
  const own = [join(home, '.pip', 'pip.conf'), join(config, 'pip', 'pip.conf')];
  return [
    '/etc/pip.conf',
    ...own,
    ...(process.platform === 'darwin' ? [mac] : []),
    ...(named === '' ? [] : [named]),
  ];
}

/** A setting of pip in `[global]` or `[install]`, where later files and `[install]` take precedence. */
function pipSetting(host: Host, name: string): string | undefined {
  const found: Record<string, string> = {};
  for (const path of settingsFiles(host)) {
    let section = '';
    let key: string | undefined;
    for (const line of textIn(host, path).split('\n')) {
      section = /^\s*\[(\w+)\]/.exec(line)?.[1] ?? section;
      const [, started, value = ''] = /^([\w-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
      // a value may go on in lines that are indented
      const [, more] = /^\s+([^#;\s].*?)\s*$/.exec(line) ?? [];
      if (started !== undefined) key = started.replaceAll('_', '-');
      if (key !== name) continue;
      if (started !== undefined) found[section] = value;
      else if (more !== undefined) found[section] = `${found[section]} ${more}`.trim();
    }
  }
  return found['install'] ?? found['global'];
}

function textIn(host: Host, path: string): string {
  try {
    return host.readText(path);
  } catch (error) {
    if (error instanceof HostError) return '';
    throw error;
  }
}

const variable = (host: Host, names: readonly string[]): string | undefined =>
  names.map((name) => host.env(name) ?? '').find((value) => value !== '');

/** Addresses without a slash at their end; the first one is asked first. */
export function indexesOf(host: Host): readonly string[] {
  const first = variable(host, FIRST) ?? pipSetting(host, 'index-url') ?? PYPI;
  const more = variable(host, MORE) ?? pipSetting(host, 'extra-index-url') ?? '';
  return (
    [first, ...more.split(/\s+/)]
      // uv allows a name before an address
      .map((address) => address.replace(/^[\w-]+=(?=https?:)/, '').replace(/\/+$/, ''))
      .filter((address, at, all) => address !== '' && all.indexOf(address) === at)
  );
}

/** A file that an index lists; what it does not say is `undefined`. */
interface IndexFile {
  readonly name: string;
  /** Absolute. */
  readonly url: string;
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
  readonly isYanked: boolean;
}

/** What a project's page says about its files. */
const PAGE = v.object({
  files: v.array(
    v.object({
      filename: v.string(),
      url: v.string(),
      hashes: v.object({ sha256: v.optional(v.string()) }),
      size: v.nullish(count),
      /** Or why. */
      yanked: v.nullish(v.union([v.boolean(), v.string()])),
    }),
  ),
});

/** Files of a project. Throws a `UserError`, or the signal's reason. */
export async function filesOf(
  index: string,
  project: string,
  signal: AbortSignal,
): Promise<readonly IndexFile[]> {
  const address = `${index}/${project}/`;
  const text = await fetchText(address, { accept: PAGES }, signal);
  return text.trimStart().startsWith('<') ? inHtml(text, address) : inJson(text, address);
}

function inJson(text: string, address: string): readonly IndexFile[] {
  const page = parseJson(PAGE, text);
  if (page instanceof JsonFault)
    throw new UserError(
      fetchFailed(shown(new URL(address)), `the response is not a page of a package index: ${page.detail}`),
    );
  return page.files.map(({ filename, url, hashes, size, yanked }) => ({
    name: filename,
    url: new URL(url, address).href,
    sha256: hashes.sha256,
    bytes: size ?? undefined,
    isYanked: (yanked ?? false) !== false,
  }));
}

/** Links with the file's name as their text, and its digest after `#`. */
function inHtml(text: string, address: string): readonly IndexFile[] {
  return [...text.matchAll(/<a\s([^>]*)>([^<]+)<\/a>/gi)].flatMap(([, attributes = '', label = '']) => {
    const [, link] = /href\s*=\s*["']([^"']+)["']/i.exec(attributes) ?? [];
    if (link === undefined || !URL.canParse(link.replaceAll('&amp;', '&'), address)) return [];
    const url = new URL(link.replaceAll('&amp;', '&'), address);
    const [, sha256] = /sha256=([0-9a-f]{64})/.exec(url.hash) ?? [];
    url.hash = '';
    const isYanked = /data-yanked/i.test(attributes);
    return [{ name: label.trim(), url: url.href, sha256, bytes: undefined, isYanked }];
  });
}

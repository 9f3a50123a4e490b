/** Wheels of a Python package index: its JSON pages (PEP 691, 700), and the requirements that a wheel states. */
import * as v from 'valibot';
import { fetchFailed, notListed } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { count, JsonFault, parseJson } from '../../language/host/json.js';
import { fetchText, type Remote, shown } from './transfer.js';

const PYPI = 'https://pypi.org/simple';
const JSON_PAGE = 'application/vnd.pypi.simple.v1+json';

interface Requirement {
  readonly project: string;
  /** `>=12.5.82`: all of them hold. */
  readonly limits: readonly { readonly sign: string; readonly version: string }[];
}

export const exactly = (project: string, version: string): Requirement => ({
  project,
  limits: [{ sign: '==', version }],
});

/** Requirements of one of a wheel's extras, from its `METADATA`. */
export const requirementsOf = (metadata: string, extra: string): readonly Requirement[] =>
  metadata.split('\n').flatMap((line) => {
    const [, project, limits, marker] =
      /^Requires-Dist: ([\w.-]+)\s*\(?([^;)]*)\)?\s*;\s*(.*)$/.exec(line.trim()) ?? [];
    if (project === undefined || !new RegExp(`extra == ["']${extra}["']`).test(marker ?? '')) return [];
    return [{ project, limits: (limits ?? '').split(',').flatMap(limitOf) }];
  });

function limitOf(text: string): Requirement['limits'] {
  const [, sign, version] = /^\s*(==|>=|<=|<|>|!=)\s*([\d.]+)\s*$/.exec(text) ?? [];
  return sign === undefined || version === undefined ? [] : [{ sign, version }];
}

/** Below 0 where `a` is the older release; both are numbers between dots. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const SIGNS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '>=': (order) => order >= 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '<': (order) => order < 0,
};

/** What a package index says about its files; a file without a size or a SHA-256 is passed over. */
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

/** The newest wheel for Linux on x64 that a requirement allows; pre-releases count as none. Throws a `UserError`. */
export async function findWheel(host: Host, requirement: Requirement, signal: AbortSignal): Promise<Remote> {
  const { project, limits } = requirement;
  const address = `${(host.env('PIP_INDEX_URL') || PYPI).replace(/\/+$/, '')}/${project}/`;
  const page = readPage(await fetchText(address, { accept: JSON_PAGE }, signal), address);
  const found = page.files
    .flatMap(({ filename, url, hashes, size, yanked }) => {
      const [, version] = /^[^-]+-(\d+(?:\.\d+)*)-.*manylinux.*x86_64.*\.whl$/.exec(filename) ?? [];
      const { sha256 } = hashes;
      if (version === undefined || sha256 === undefined || size == null || (yanked ?? false) !== false)
        return [];
      const isAllowed = limits.every((limit) => SIGNS[limit.sign]?.(compareVersions(version, limit.version)));
      return isAllowed
        ? [{ version, remote: { name: filename, url: new URL(url, address).href, bytes: size, sha256 } }]
        : [];
    })
    // one of several for versions of Python: the libraries in them are the same
    .sort((a, b) => compareVersions(a.version, b.version) || (a.remote.name < b.remote.name ? -1 : 1))
    .at(-1);
  if (found === undefined)
    throw new UserError(
      notListed(`wheel of \`${textOf(requirement)}\` for Linux on x64`, shown(new URL(address))),
    );
  return found.remote;
}

const textOf = ({ project, limits }: Requirement): string =>
  `${project}${limits.map(({ sign, version }) => `${sign}${version}`).join()}`;

function readPage(text: string, address: string): v.InferInput<typeof PAGE> {
  const page = parseJson(PAGE, text);
  if (!(page instanceof JsonFault)) return page;
  throw new UserError(
    fetchFailed(
      shown(new URL(address)),
      `the response is not a JSON page of a package index: ${page.detail}`,
    ),
  );
}

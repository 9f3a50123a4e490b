/** Wheels of a Python package index that satisfy requirements, and the requirements that a wheel states. */
import { compareReleases } from '../../compute/accelerate/packages.js';
import { notListed } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { filesOf, indexesOf } from './python-index.js';
import { type Remote, shown } from './transfer.js';

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

const SIGNS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '>=': (order) => order >= 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '<': (order) => order < 0,
};

/** The newest wheel for Linux on x64 that a requirement allows; pre-releases count as none. Throws a `UserError`. */
export async function findWheel(host: Host, requirement: Requirement, signal: AbortSignal): Promise<Remote> {
  const { project, limits } = requirement;
  const [index = ''] = indexesOf(host);
  const found = (await filesOf(index, project, signal))
    .flatMap(({ name, url, sha256, bytes, isYanked }) => {
      const [, version] = /^[^-]+-(\d+(?:\.\d+)*)-.*manylinux.*x86_64.*\.whl$/.exec(name) ?? [];
      if (version === undefined || sha256 === undefined || bytes === undefined || isYanked) return [];
      const isAllowed = limits.every((limit) => SIGNS[limit.sign]?.(compareReleases(version, limit.version)));
      return isAllowed ? [{ version, remote: { name, url, bytes, sha256 } }] : [];
    })
    // one of several for versions of Python: the libraries in them are the same
    .sort((a, b) => compareReleases(a.version, b.version) || (a.remote.name < b.remote.name ? -1 : 1))
    .at(-1);
  if (found === undefined)
    throw new UserError(
      notListed(
        `wheel of \`${textOf(requirement)}\` for Linux on x64`,
        shown(new URL(`${index}/${project}/`)),
      ),
    );
  return found.remote;
}

const textOf = ({ project, limits }: Requirement): string =>
  `${project}${limits.map(({ sign, version }) => `${sign}${version}`).join()}`;

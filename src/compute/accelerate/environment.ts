/**
 * The Python that the accelerate engine computes with: the one that `--python` or `FTPC_PYTHON` names, else the environment
 * that ftpc has installed. What it has is read from the folders of its packages; Python itself is only asked where these
 * do not tell.
 */
import { delimiter, isAbsolute, join, relative, resolve } from 'node:path';
import {
  environmentMissing,
  packagesDiffer,
  packagesMissing,
  packagesUntried,
  pythonBroken,
  pythonTooOld,
} from '../../language/diagnostics/catalogue/environment.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { RuntimeIdentity } from '../tensor/runtimes/index.js';
import { askPython } from './ask-python.js';
import { driverFolder, environmentFolder, pythonIn, readEnvironment } from './installed.js';
import {
  compareReleases,
  isWithin,
  OLDEST_PYTHON,
  PACKAGE_NAMES,
  type PackageName,
  packageOf,
} from './packages.js';
import { readPackages } from './site-packages.js';

/** Who named a Python: an option, the variable, or nobody, so that it is ftpc's own. */
type PythonOrigin = 'option' | 'variable' | 'installed';

export interface PythonEnvironment {
  /** The program; absolute. */
  readonly python: string;
  readonly origin: PythonOrigin;
  /** Of Python: `3.11.7`. */
  readonly version: string;
  readonly packages: Readonly<Partial<Record<PackageName, string>>>;
  /** The version of CUDA that torch was built for; `undefined`: it computes on the CPU only. */
  readonly cuda: string | undefined;
}

interface NamedPython {
  readonly python: string;
  readonly origin: PythonOrigin;
}

const VARIABLE = 'FTPC_PYTHON';

/** How whoever named a Python calls the place. */
export const ORIGINS: Readonly<Record<PythonOrigin, string>> = {
  option: '`--python`',
  variable: `\`${VARIABLE}\``,
  installed: 'the installed environment',
};

/** A path, or a program that `PATH` leads to. `undefined`: it leads to none. */
function locate(host: Host, named: string): string | undefined {
  const isPath = isAbsolute(named) || /[\\/]/.test(named);
  const candidates = isPath
    ? [resolve(host.cwd, named)]
    : (host.env('PATH') ?? '').split(delimiter).map((folder) => join(folder, named));
  return candidates.find((path) => host.stat(path)?.isFolder === false);
}

/** A folder of an environment is taken for its Python. Throws a `UserError`. */
export function pythonNamed(host: Host, origin: PythonOrigin, named: string): NamedPython {
  const path = resolve(host.cwd, named);
  const inside = pythonIn(path);
  const python = host.stat(inside)?.isFolder === false ? inside : locate(host, named);
  if (python === undefined)
    throw new UserError(
      pythonBroken(
        ORIGINS[origin],
        named,
        host.stat(path)?.isFolder === true
          ? `it is a folder, and \`${relative(path, inside)}\` is not in it`
          : 'there is no such program',
      ),
    );
  return { python, origin };
}

function findPython(host: Host, asked: string | undefined): NamedPython | undefined {
  if (asked !== undefined) return pythonNamed(host, 'option', asked);
  const variable = host.env(VARIABLE) ?? '';
  if (variable !== '') return pythonNamed(host, 'variable', variable);
  return readEnvironment(host) === undefined
    ? undefined
    : { python: pythonIn(environmentFolder(host)), origin: 'installed' };
}

/**
 * What is there, whether or not it is of use; `undefined`: nothing was named or installed. Throws a `UserError` if it
 * is no Python.
 */
export function lookAtPython(host: Host, asked?: string): PythonEnvironment | undefined {
  const found = findPython(host, asked);
  if (found === undefined) return undefined;
  const { python, origin } = found;
  const read = readPackages(host, python, origin === 'installed' ? '' : (host.env('PYTHONPATH') ?? ''));
  const isWhole = read !== undefined && PACKAGE_NAMES.every((name) => !isLacking(read.packages, name));
  return {
    ...found,
    ...(isWhole ? read : askPython(host, python, ORIGINS[origin], pythonPath(host, origin))),
  };
}

const isLacking = (packages: PythonEnvironment['packages'], name: PackageName): boolean =>
  packageOf(name).isNeeded === true && packages[name] === undefined;

/** What is wrong with an environment, if anything; `also`: optional packages that a pipeline needs. */
export function problemOf(
  { python, origin, version, packages }: PythonEnvironment,
  also: readonly PackageName[] = [],
): Diagnostic | undefined {
  if (compareReleases(version, OLDEST_PYTHON) < 0)
    return pythonTooOld(ORIGINS[origin], python, version, OLDEST_PYTHON);
  const where = { python, isOwn: origin === 'installed' };
  const needed = PACKAGE_NAMES.filter((name) => packageOf(name).isNeeded === true || also.includes(name));
  const missing = needed.filter((name) => packages[name] === undefined);
  const wanted = (names: readonly PackageName[]) =>
    names.map((name) => ({ name, found: packages[name], ...packageOf(name) }));
  if (missing.length > 0) return packagesMissing(where, wanted(missing));
  const other = needed.filter((name) => !isWithin(packages[name] ?? '', packageOf(name)));
  return other.length > 0 ? packagesDiffer(where, wanted(other)) : undefined;
}

/** Says which versions were never tried, though they should work. */
export function untriedVersions({ python, packages }: PythonEnvironment): Diagnostic | undefined {
  const untried = PACKAGE_NAMES.flatMap((name) => {
    const [found, { tried }] = [packages[name], packageOf(name)];
    return found === undefined || tried === undefined || compareReleases(found, tried) === 0
      ? []
      : [{ name, found, tried }];
  });
  return untried.length > 0 ? packagesUntried(python, untried) : undefined;
}

/**
 * The Python to compute with. `asked`: what `--python` names, a program or the folder of an environment; `also`: optional
 * packages that are needed. Throws a `UserError`.
 */
export function pythonOf(host: Host, asked?: string, also: readonly PackageName[] = []): PythonEnvironment {
  const found = lookAtPython(host, asked);
  if (found === undefined) throw new UserError(environmentMissing());
  const problem = problemOf(found, also);
  if (problem !== undefined) throw new UserError(problem);
  return found;
}

/** As {@link pythonOf}; what is wrong is a diagnostic. */
export function tryPython(
  host: Host,
  asked?: string,
  also: readonly PackageName[] = [],
): PythonEnvironment | Diagnostic {
  try {
    return pythonOf(host, asked, also);
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic;
    throw error;
  }
}

/** Packages that decide what is computed. */
const IDENTITY: readonly PackageName[] = ['torch', 'transformers', 'peft', 'bitsandbytes'];

/** Part of the keys of what is computed, in the place of a tensor runtime's. */
export const engineIdentity = ({ packages }: Pick<PythonEnvironment, 'packages'>): RuntimeIdentity => ({
  name: 'accelerate',
  version: IDENTITY.flatMap((name) =>
    packages[name] === undefined ? [] : [`${name} ${packages[name]}`],
  ).join(', '),
});

/** Where Python looks for modules: the driver first, then what whoever named the Python wants there. */
function pythonPath(host: Host, origin: PythonOrigin): string {
  const theirs = origin === 'installed' ? '' : (host.env('PYTHONPATH') ?? '');
  return [driverFolder(host), ...(theirs === '' ? [] : [theirs])].join(delimiter);
}

/** Variables with which the driver is found, and says what it prints at once. */
export const pythonVariables = (
  host: Host,
  { origin }: Pick<PythonEnvironment, 'origin'>,
): Readonly<Record<string, string>> => ({
  PYTHONPATH: pythonPath(host, origin),
  PYTHONUNBUFFERED: '1',
  PYTHONIOENCODING: 'utf-8',
  // else modules next to where a command was started would be imported before the real ones
  PYTHONSAFEPATH: '1',
});

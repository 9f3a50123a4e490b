/** What keeps the accelerate engine from a Python to compute with. */
import { error, named, warning } from '../make.js';

const INSTALL = 'run `ftpc runtime install accelerate`';

export const environmentMissing = () =>
  error('FTP1850', undefined, {
    message: 'the accelerate engine has no Python environment on this machine',
    help: `${INSTALL}, or name a Python that has PyTorch, transformers and PEFT: \`--python PATH\` or \`FTPC_PYTHON\``,
  });

/** `by`: who named it. */
export const pythonBroken = (by: string, python: string, detail: string) =>
  error('FTP1851', undefined, {
    message: `${by} names \`${python}\`, which does not run as Python: ${detail}`,
    help: `name the program of a Python, or the folder of its environment; without one, ${INSTALL}`,
  });

export const pythonTooOld = (by: string, python: string, found: string, oldest: string) =>
  error('FTP1852', undefined, {
    message: `${by} names \`${python}\`, which is Python ${found}: the driver needs ${oldest} or newer`,
    help: `name a newer Python, or leave it out and ${INSTALL}`,
  });

interface PackageState {
  readonly name: string;
  readonly found: string | undefined;
  readonly from: string;
  readonly below: string;
  readonly tried?: string;
  readonly use: string;
}

interface Environment {
  readonly python: string;
  /** Whether ftpc has made it. */
  readonly isOwn: boolean;
}

/** `'torch==2.15.0' 'deepspeed>=0.16,<1'` */
const specs = (packages: readonly PackageState[]): string =>
  packages
    .map(({ name, tried, from, below }) =>
      tried === undefined ? `'${name}>=${from},<${below}'` : `'${name}==${tried}'`,
    )
    .join(' ');

/** `others`: where it is ftpc's own, what does not come with it. */
const mend = ({ python, isOwn }: Environment, packages: readonly PackageState[]): string =>
  isOwn && packages.every(({ tried }) => tried !== undefined)
    ? 'run `ftpc runtime install accelerate`, which makes it again'
    : isOwn
      ? `it does not come with the installed environment: add it to a Python of your own, named in \`FTPC_PYTHON\`, with \`pip install ${specs(packages)}\``
      : `\`${python} -m pip install ${specs(packages)}\`, or leave this Python out and ${INSTALL}`;

export const packagesMissing = (environment: Environment, packages: readonly PackageState[]) =>
  error('FTP1853', undefined, {
    message: `\`${environment.python}\` has no ${named(packages.map(({ name }) => name))}, which the accelerate engine needs for ${uses(packages)}`,
    help: mend(environment, packages),
  });

const uses = (packages: readonly PackageState[]): string =>
  packages.map(({ use }) => use).join(packages.length > 2 ? '; ' : ' and for ');

export const packagesDiffer = (environment: Environment, packages: readonly PackageState[]) =>
  error('FTP1854', undefined, {
    message: `\`${environment.python}\` has ${packages
      .map(
        ({ name, found, from, below }) =>
          `\`${name}\` ${found}, but the accelerate engine needs ${from} or newer, and older than ${below}`,
      )
      .join('; ')}`,
    help: mend(environment, packages),
  });

/** A warning only: they should work. */
export const packagesUntried = (
  python: string,
  packages: readonly { readonly name: string; readonly found: string; readonly tried: string }[],
) =>
  warning('FTP1855', undefined, {
    message: `\`${python}\` has versions that this ftpc was not tried with: ${packages
      .map(({ name, found, tried }) => `\`${name}\` ${found} (tried: ${tried})`)
      .join(', ')}`,
    help: 'they should work, and outputs of different versions are never mixed; `ftpc doctor` compares a training with the embedded engine',
  });

/** `found`: the version of a Python that was named; `undefined`: none was, and the system has none. */
export const noPythonToInstall = (
  wanted: string,
  found?: { readonly by: string; readonly python: string; readonly version: string },
  said: readonly string[] = [],
) =>
  error('FTP1860', undefined, {
    message:
      found === undefined
        ? `this machine has no Python ${wanted} to make an environment with, and none could be downloaded`
        : `${found.by} names \`${found.python}\`, which is Python ${found.version}: an environment is made with ${wanted}`,
    help: 'install one, e.g. `apt install python3.12`, or name one: `ftpc runtime install accelerate --python PATH`',
    notes: said.length > 0 ? said : undefined,
  });

export const installerFailed = (what: string, said: readonly string[]) =>
  error('FTP1861', undefined, {
    message: `the environment cannot be made: uv fails to ${what}`,
    help: 'nothing was installed, and what was downloaded is kept; the notes have what uv says',
    notes: said.length > 0 ? said : undefined,
  });

/** What npm and a compiler read of the environment, besides what every process gets. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Environment, type Needs, startingWith } from '../../language/host/child-environment.js';

/** Version managers, whose `npm` is a script that looks for the real one. */
const MANAGERS = startingWith(['NVM_', 'VOLTA_', 'ASDF_', 'MISE_', 'FNM_', 'NODENV_', 'COREPACK_', 'NIX_']);

/** npm's settings, credentials among them, and the variables that its files refer to, such as `${NPM_TOKEN}`. */
export function npmNeeds(environment: Environment = process.env): Needs {
  const named = new Set(npmrcPaths(environment).flatMap(namedIn));
  return (name) => /^npm_config_/i.test(name) || named.has(name) || MANAGERS(name);
}

/** Of the user and of the system. */
function npmrcPaths(environment: Environment): readonly string[] {
  const setting = (name: string): string | undefined =>
    environment[`npm_config_${name}`] || environment[`NPM_CONFIG_${name.toUpperCase()}`] || undefined;
  const prefix = setting('prefix') ?? dirname(dirname(process.execPath));
  return [
    setting('userconfig') ?? join(environment['HOME'] || homedir(), '.npmrc'),
    setting('globalconfig') ?? join(prefix, 'etc/npmrc'),
  ];
}

function namedIn(path: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return [...text.matchAll(/\$\{([^}?]+)\??\}/g)].map(([, name = '']) => name);
}

/** Where it looks for headers, libraries and its own parts. */
export const compilerNeeds: Needs = startingWith([
  ...['CPATH', 'C_INCLUDE_PATH', 'CPLUS_INCLUDE_PATH', 'LIBRARY_PATH', 'COMPILER_PATH', 'GCC_', 'CCACHE_'],
  ...['SDKROOT', 'DEVELOPER_DIR', 'NIX_', 'GUIX_', 'SPACK_', 'EASYBUILD_'],
]);

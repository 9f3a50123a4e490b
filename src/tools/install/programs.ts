/** Programs of the system that an installation needs. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import * as v from 'valibot';
import { sourcePath } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import {
  buildFailed,
  doesNotCompute,
  fetchedOther,
  fetchFailed,
  toolMissing,
} from '../../language/diagnostics/catalogue/runtimes.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { childEnvironment, type Needs } from '../../language/host/child-environment.js';
import type { Host } from '../../language/host/host.js';
import { tryJson } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import type { NpmPackage } from './packages.js';
import { compilerNeeds, npmNeeds } from './program-environment.js';

interface ToolResult {
  readonly missing: boolean;
  readonly failed: boolean;
  readonly stdout: string;
  /** The last lines that it wrote, on either stream. */
  readonly output: readonly string[];
}

interface ToolOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  /** Variables that the program reads, besides those that all get. */
  readonly needs?: Needs;
}

const LINES = 8;

/** Throws only the signal's reason. */
async function runTool(program: string, words: readonly string[], options: ToolOptions) {
  const { cwd, signal, env = {}, needs } = options;
  const result = await execa(program, [...words], {
    cwd,
    env: childEnvironment({ ...env, LC_ALL: 'C' }, needs),
    extendEnv: false,
    cancelSignal: signal,
    stdin: 'ignore',
    reject: false,
    all: true,
  });
  if (signal.aborted) throw signal.reason;
  return {
    missing: result.code === 'ENOENT' || result.code === 'EACCES',
    failed: result.failed,
    stdout: result.stdout,
    output: (result.all ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-LINES),
  };
}

/**
 * Runs a script with its arguments in another process, since native code that does not fit the machine ends the one that
 * loads it. Throws a `UserError` about `title` if it fails.
 */
export async function tryScript(
  title: string,
  words: readonly string[],
  options: ToolOptions,
): Promise<void> {
  await tryProgram(title, process.execPath, ['-e', ...words], options);
}

/** As {@link tryScript}, with a program that was installed. */
export async function tryProgram(
  title: string,
  program: string,
  words: readonly string[],
  options: ToolOptions,
): Promise<void> {
  const { failed, output } = await runTool(program, words, options);
  if (failed) throw new UserError(doesNotCompute(title, output));
}

/** Everything below a folder is on the disk for good, where the system has a program for that. Throws only the signal's reason. */
export async function syncEverything(folder: string, signal: AbortSignal): Promise<void> {
  const words = process.platform === 'linux' ? ['-f', folder] : [];
  await runTool('sync', words, { cwd: folder, signal });
}

/**
 * Unpacks a package into a folder, as the user's npm fetches it: its registry, its proxies, its credentials; no script is
 * run. Throws a `UserError`.
 */
export async function unpackNpm(wanted: NpmPackage, folder: string, signal: AbortSignal): Promise<void> {
  const spec = `${wanted.name}@${wanted.version}`;
  makeFolders(folder);
  const packed = await runTool(
    'npm',
    ['pack', spec, '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: folder, signal, needs: npmNeeds() },
  );
  if (packed.missing)
    throw new UserError(toolMissing('npm', `fetch \`${spec}\``, 'install npm, which comes with Node.js'));
  if (packed.failed) throw new UserError(problemOf(spec, packed));
  const archive = join(folder, fileName(packed.stdout, spec));
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (integrity !== wanted.integrity)
    throw new UserError(
      fetchedOther(spec, `${integrity.slice(0, 20)}… and not ${wanted.integrity.slice(0, 20)}…`),
    );
  const unpacked = await runTool('tar', ['-xzf', archive, '--strip-components=1'], { cwd: folder, signal });
  if (unpacked.missing)
    throw new UserError(toolMissing('tar', `unpack \`${spec}\``, 'install tar with your system’s packages'));
  if (unpacked.failed) throw new UserError(fetchedOther(spec, lastLine(unpacked.output)));
}

const PACKED = v.looseTuple([v.object({ filename: v.string() })]);

/** npm prints a list with the archive's name, which has a folder's separator in it for scoped names of old releases. */
function fileName(stdout: string, spec: string): string {
  const packed = tryJson(PACKED, stdout.slice(stdout.indexOf('[')));
  if (packed === undefined)
    throw new UserError(fetchFailed(spec, '`npm pack --json` gave no list of what it packed'));
  return packed[0].filename.replace(/^@/, '').replaceAll('/', '-');
}

const FAILURE = v.object({
  error: v.object({ code: v.optional(v.string()), summary: v.optional(v.string()) }),
});

/** What npm says in JSON, without a password in an address; the last line of another npm. */
function problemOf(spec: string, { stdout, output }: ToolResult): Diagnostic {
  const failure = tryJson(FAILURE, stdout.slice(stdout.indexOf('{')))?.error;
  if (failure?.code === 'EINTEGRITY')
    return fetchedOther(spec, 'npm computed a different digest for the download');
  const [line] = failure?.summary?.split('\n') ?? [];
  return fetchFailed(spec, line?.replaceAll(/\/\/[^/@\s]*@/g, '//') || lastLine(output));
}

const lastLine = (lines: readonly string[]): string => lines.at(-1) ?? 'it said nothing';

interface BindingParts {
  /** Folder with TensorFlow's headers. */
  readonly headers: string;
  /** Unpacked packages of npm. */
  readonly binding: string;
  readonly nodeHeaders: string;
  /** What is written: `tfjs_binding.node`. */
  readonly target: string;
  /** Where the target will look for the libraries, seen from its own folder. */
  readonly rpath: string;
}

const compilerOf = (host: Host): string => host.env('CXX') || 'g++';

/** Before anything is fetched: is there a compiler at all? Throws a `UserError`. */
export async function requireCompiler(host: Host, signal: AbortSignal): Promise<void> {
  const compiler = compilerOf(host);
  const { missing, failed } = await runTool(compiler, ['--version'], {
    cwd: host.cwd,
    signal,
    needs: compilerNeeds,
  });
  if (missing || failed)
    throw new UserError(
      toolMissing(
        compiler,
        'build the binding',
        'install a C++ compiler, e.g. `apt install g++` or `dnf install gcc-c++`, or name one in `CXX`',
      ),
    );
}

/**
 * Builds TensorFlow.js's native binding, with `native/tensorflow.cc`, over the libraries and C headers of a wheel: one call
 * of the compiler. Throws a `UserError` with what it said.
 */
export async function buildBinding(host: Host, parts: BindingParts, signal: AbortSignal): Promise<void> {
  makeFolders(dirname(parts.target));
  const compiler = compilerOf(host);
  const { failed, output } = await runTool(
    compiler,
    [
      ...['-O2', '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
      ...[join(parts.nodeHeaders, 'include'), parts.headers, parts.binding].flatMap((path) => ['-I', path]),
      sourcePath(host),
      // the libraries are loaded by the binding, whose calls are bound when they are made
      ...['-o', parts.target, '-Wl,-z,lazy', '-ldl', `-Wl,-rpath,${parts.rpath}`],
    ],
    { cwd: dirname(parts.target), signal, needs: compilerNeeds },
  );
  if (failed) throw new UserError(buildFailed(compiler, output));
}

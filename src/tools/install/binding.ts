/** Builds TensorFlow.js's native binding, with `native/tensorflow.cc`, over the libraries and C headers of a wheel: one call of the compiler. */
import { dirname, join } from 'node:path';
import { sourcePath } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import { buildFailed, toolMissing } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { runTool } from './tool.js';

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
  const { missing, failed } = await runTool(compiler, ['--version'], { cwd: host.cwd, signal });
  if (missing || failed)
    throw new UserError(
      toolMissing(
        compiler,
        'build the binding',
        'install a C++ compiler, e.g. `apt install g++` or `dnf install gcc-c++`, or name one in `CXX`',
      ),
    );
}

/** Throws a `UserError` with what the compiler said. */
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
    { cwd: dirname(parts.target), signal },
  );
  if (failed) throw new UserError(buildFailed(compiler, output));
}

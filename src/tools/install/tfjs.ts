/** TensorFlow.js with one of its backends onto this machine: whole, or not at all. */
import { RUNTIMES } from '../../compute/tensor/runtimes/index.js';
import { runtimesFolder } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import {
  DAWN,
  dawnBuild,
  dawnPath,
  packageFolder,
  readTfjs,
  type TfjsManifest,
  type TfjsName,
  tfjsDamage,
  tfjsFolder,
} from '../../compute/tensor/runtimes/tfjs/installed.js';
import { noBuildHere } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { fetchPart } from './npm-part.js';
import { DAWN_BUILDS, TFJS_NEEDED_BYTES, TFJS_PACKAGES } from './packages.js';
import { tryScript } from './programs.js';
import { alone, bytesOf, filesIn, finish, type InstallStep, removeRuntime, requireSpace } from './staging.js';

interface TfjsInstallOptions {
  readonly signal: AbortSignal;
  readonly progress: (step: InstallStep) => void;
}

/** Installs, or finds that the same is installed. Throws a `UserError`, or the signal's reason. */
export async function installTfjs(
  host: Host,
  name: TfjsName,
  { signal, progress }: TfjsInstallOptions,
): Promise<{ readonly manifest: TfjsManifest; readonly already: boolean }> {
  const wanted = TFJS_PACKAGES[name];
  const packages = Object.fromEntries(wanted.map(({ name: one, version }) => [one, version]));
  const known = readTfjs(host, name);
  const isWanted = known !== undefined && JSON.stringify(known.packages) === JSON.stringify(packages);
  if (isWanted && tfjsDamage(host, name, 'all') === undefined) return { manifest: known, already: true };
  const { title } = RUNTIMES[name];
  if (packages[DAWN] !== undefined && !DAWN_BUILDS.has(dawnBuild()))
    throw new UserError(noBuildHere(title, 'Linux and Windows on x64 and arm64, and macOS'));
  const manifest = await alone(host, { name, title }, async (staging): Promise<TfjsManifest> => {
    requireSpace(runtimesFolder(host), TFJS_NEEDED_BYTES[name]);
    for (const one of wanted) {
      progress({ what: `fetching ${one.name}` });
      await fetchPart(one, { staging, target: packageFolder(staging, one.name) }, signal);
    }
    progress({ what: 'trying it' });
    const modules = wanted.map(({ name: one }) => (one === DAWN ? dawnPath(staging) : one));
    const script = modules.map((one) => `require(${JSON.stringify(one)});`).join('\n');
    await tryScript(title, [script], { cwd: staging, signal });
    const files = await filesIn(staging, signal);
    return finish(staging, tfjsFolder(host, name), { version: 1, packages, bytes: bytesOf(files), files });
  });
  return { manifest, already: false };
}

/** Whether there was one. Throws a `UserError`. */
export const removeTfjs = (host: Host, name: TfjsName): Promise<boolean> =>
  removeRuntime(host, { name, title: RUNTIMES[name].title }, tfjsFolder(host, name));

/** llama.cpp onto this machine, as node-llama-cpp builds it: whole, or not at all. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { platformHere } from '../../compute/libraries/platform.js';
import {
  LLAMA,
  type LlamaManifest,
  llamaDamage,
  llamaFolder,
  readLlama,
} from '../../compute/serving/llama-cpp/installed.js';
import { runtimesFolder } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import { doesNotCompute, noBuildHere } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { discard } from '../../language/host/own-files.js';
import { fetchPart } from './npm-part.js';
import { LLAMA_BUILDS, LLAMA_NEEDED_BYTES, LLAMA_RELEASE, type LlamaBuild } from './packages.js';
import { tryScript } from './programs.js';
import { alone, bytesOf, filesIn, finish, type InstallStep, removeRuntime, requireSpace } from './staging.js';

interface LlamaInstallOptions {
  /** The build for the processor, whatever else is there. */
  readonly cpu: boolean;
  readonly signal: AbortSignal;
  readonly progress: (step: InstallStep) => void;
}

const SELF = { name: LLAMA, title: LLAMA };

/** Installs, or finds that the same is installed. Throws a `UserError`, or the signal's reason. */
export async function installLlama(
  host: Host,
  options: LlamaInstallOptions,
): Promise<{ readonly manifest: LlamaManifest; readonly already: boolean }> {
  const builds = (LLAMA_BUILDS[platformHere()] ?? []).filter(({ device }) => !options.cpu || isPlain(device));
  if (builds.length === 0)
    throw new UserError(
      noBuildHere(
        LLAMA,
        'Linux with glibc on x64 and arm64, macOS, and Windows on x64',
        'answer with the embedded engine, which needs no installation: `--engine embedded`',
      ),
    );
  const known = readLlama(host);
  const isWanted = known !== undefined && builds.some((build) => isOf(known, build));
  if (isWanted && llamaDamage(host, 'all') === undefined) return { manifest: known, already: true };
  const manifest = await alone(host, SELF, async (staging) => {
    for (const build of builds) {
      const made = await tryBuild(host, build, staging, options);
      if (made !== undefined) return made;
    }
    throw new Error('the last build is for the processor, and fails with a reason');
  });
  return { manifest, already: false };
}

/** Whether there was one. Throws a `UserError`. */
export const removeLlama = (host: Host): Promise<boolean> => removeRuntime(host, SELF, llamaFolder(host));

/** Needs no device that may be missing. */
const isPlain = (device: LlamaBuild['device']): boolean => device === 'cpu' || device === 'metal';

const isOf = (known: LlamaManifest, { version, device }: LlamaBuild): boolean =>
  known.package === version && known.device === device;

/** `undefined` where this machine has nothing for it. Throws a `UserError`. */
async function tryBuild(
  host: Host,
  build: LlamaBuild,
  staging: string,
  { signal, progress }: LlamaInstallOptions,
): Promise<LlamaManifest | undefined> {
  const { name, version, device, needs = [], where } = build;
  if (where !== undefined && !existsSync(where)) return undefined;
  for (const library of needs) if (!(await loads(library, staging, signal))) return undefined;
  requireSpace(runtimesFolder(host), LLAMA_NEEDED_BYTES[device]);
  progress({ what: `fetching ${name}` });
  const target = join(staging, 'node_modules', name);
  await fetchPart(build, { staging, target }, signal);
  progress({ what: 'trying it' });
  const addon = addonIn(target);
  try {
    if (addon === undefined) throw new UserError(doesNotCompute(LLAMA, ['it has no library for Node']));
    await tryScript(LLAMA, [TRIAL, join(target, addon), device], { cwd: staging, signal });
  } catch (error) {
    if (isPlain(device) || !(error instanceof UserError)) throw error;
    discard(staging);
    return undefined;
  }
  const files = await filesIn(staging, signal);
  return finish<LlamaManifest>(staging, llamaFolder(host), {
    version: 1,
    package: version,
    llama: LLAMA_RELEASE,
    device,
    addon: ['node_modules', name, addon].join('/'),
    bytes: bytesOf(files),
    files,
  });
}

/** Path of the library that Node loads, in an unpacked package. */
const addonIn = (folder: string): string | undefined =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .find((file) => file.endsWith('llama-addon.node'))
    ?.replaceAll('\\', '/');

/** Whether the system finds a library, which is no module of Node: found out where it does no harm. */
async function loads(library: string, staging: string, signal: AbortSignal): Promise<boolean> {
  const script = `
    try { process.dlopen({ exports: {} }, process.argv[1]); } catch (error) {
      if (!/did not self-register/i.test(error.message)) process.exit(1);
    }`;
  try {
    await tryScript(LLAMA, [script, library], { cwd: runtimesRoot(staging), signal });
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return false;
  }
}

/** The staging folder does not exist yet. */
const runtimesRoot = (staging: string): string => join(staging, '..');

/** Ends well where the library loads, with what it computes with on the processor and on the device that it is for. */
const TRIAL = `
const { dirname } = require('node:path');
const [, addon, device] = process.argv;
const llama = require(addon);
llama.setLogger((level, text) => process.stderr.write(text));
llama.setLoggerLogLevel(3);
llama.loadBackends();
llama.loadBackends(dirname(addon));
llama.init().then(() => {
  const found = llama.getGpuType() || 'cpu';
  if (found !== device) throw new Error('it finds ' + found + ' and not ' + device);
  if (!/CPU/.test(llama.systemInfo())) throw new Error('it has nothing to compute with');
  return llama.dispose();
});
`;

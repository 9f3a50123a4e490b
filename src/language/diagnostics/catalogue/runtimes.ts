/** What keeps a tensor runtime from being used or installed. */
import type { Span } from '../../source/span.js';
import { error, info, warning } from '../make.js';

export const runtimeMissing = (title: string, install: string) =>
  error('FTP0910', undefined, `${title} is not installed`, { help: install });

/** `onnx` comes with ftpc; where it is the one that fails, another has to be installed. */
const otherRuntime = (failing: string): string =>
  failing === 'onnx'
    ? 'use another runtime: run `ftpc runtime install wasm`, then use `--runtime wasm`'
    : 'use another runtime, e.g. `--runtime onnx`';

interface FailingRuntime {
  readonly name: string;
  readonly title: string;
}

export const runtimeBroken = ({ name, title }: FailingRuntime, detail: string, install: string) =>
  error('FTP0911', undefined, {
    message: `${title} does not load: ${detail.split('\n')[0]}`,
    help: `reinstall it for this machine: ${install}; or ${otherRuntime(name)}`,
  });

/** An installation of which a file is not what was installed. */
export const runtimeDamaged = ({ name, title }: FailingRuntime, detail: string, install: string) =>
  error('FTP0911', undefined, {
    message: `${title} is damaged, and was not loaded: ${detail}`,
    help: `repair it: ${install}; or ${otherRuntime(name)}`,
  });

export const installationRuns = (title: string, holder: string) =>
  error('FTP0938', undefined, {
    message: `${title} is being installed or removed by another process: ${holder}`,
    help: 'wait for it to finish, then run again',
  });

export const noBuildHere = (
  title: string,
  builds: string,
  help = 'use ONNX Runtime, which needs no installation: `--runtime onnx`',
) =>
  error('FTP0912', undefined, {
    message: `${title} cannot be installed on ${process.platform} on ${process.arch}: it is built for ${builds}`,
    help,
  });

export const toolMissing = (tool: string, what: string, help: string) =>
  error('FTP0913', undefined, `\`${tool}\` is needed to ${what}, but does not run here`, { help });

export const diskTooSmall = (folder: string, needed: string, free: string) =>
  error('FTP0914', undefined, {
    message: `the installation needs ${needed} in \`${folder}\`, but only ${free} is free`,
    help: 'free some space, or set `XDG_CACHE_HOME` to another cache folder; what was downloaded is kept',
  });

export const fetchFailed = (url: string, detail: string) =>
  error('FTP0915', undefined, {
    message: `${url} cannot be downloaded: ${detail}`,
    help: 'check the network and any proxies, then run again: the download resumes where it stopped',
  });

export const fetchedOther = (name: string, detail: string) =>
  error('FTP0916', undefined, {
    message: `\`${name}\` does not match what its index lists: ${detail}`,
    help: 'the download was discarded; run again, and check proxies and mirrors if this repeats',
  });

export const buildFailed = (command: string, output: readonly string[]) =>
  error('FTP0917', undefined, {
    message: `the binding cannot be built: \`${command}\` failed`,
    help: 'install a compiler for C++17 (g++ 8 or newer), or name one in `CXX`; nothing was installed',
    notes: output.length > 0 ? output : undefined,
  });

export const notListed = (what: string, index: string) =>
  error('FTP0918', undefined, {
    message: `${index} lists no ${what}`,
    help: 'set `PIP_INDEX_URL` to an index that has it; the default is https://pypi.org/simple',
  });

export const doesNotCompute = (title: string, detail: readonly string[]) =>
  error('FTP0919', undefined, {
    message: `${title} was downloaded, but does not compute on this machine`,
    help: 'nothing was installed; the notes have its output',
    notes: detail.length > 0 ? detail : undefined,
  });

/** A library of native code that comes with ftpc; `systems` have it, and `instead` does without. */
export const libraryNotBuilt = (title: string, here: string, systems: readonly string[], instead?: string) =>
  error('FTP0924', undefined, {
    message: `${title} is not built for this system, ${here}`,
    help:
      systems.length === 0
        ? 'this package of ftpc is not complete: install it again'
        : [`this ftpc has it for ${systems.join(', ')}`, ...(instead === undefined ? [] : [instead])].join(
            '; ',
          ),
  });

/** What helps where a folder takes nothing, by the code of the system's error. */
const UNBLOCK: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space',
  EDQUOT: 'free some space',
  EEXIST: 'a file is where a folder is needed: move it away',
  ENOTDIR: 'a file is where a folder is needed: move it away',
  ENOENT: 'a folder was removed meanwhile, or a link leads nowhere: run again',
};

/** `code` of the system's error. */
export const libraryNotUnpacked = (
  title: string,
  folder: string,
  { code, message }: { readonly code: string; readonly message: string },
) =>
  error('FTP0925', undefined, {
    message: `${title} cannot be unpacked into \`${folder}\`: ${systemSays(message)}`,
    help: cacheHelp(code),
  });

/**
 * What the system says, without the call that it says it of: which of them fails first depends on the version of Node, and
 * the folder is named already.
 */
export const systemSays = (message: string): string =>
  (message.split('\n')[0] ?? '').replace(/, \w+(?: '.*)?$/, '');

/** What helps where the user's cache folder takes nothing. */
export const cacheHelp = (code: string): string =>
  [UNBLOCK[code], 'set `XDG_CACHE_HOME` to a folder that you may write to'].filter(Boolean).join(', or ');

/** An archive of the package of ftpc. */
export const libraryDamaged = (title: string, path: string, detail: string) =>
  error('FTP0926', undefined, {
    message: `${title} was not unpacked: \`${path}\` is not the file that was published, ${detail}`,
    help: 'install ftpc again: the package on this machine is damaged',
  });

export const runtimesDiffer = (
  at: Span,
  runtime: string,
  first: { readonly name: string; readonly runtime: string; readonly span: Span },
) =>
  error('FTP0920', at, `two budgets ask for different runtimes: \`${first.runtime}\` and \`${runtime}\``, {
    label: 'differs from the first',
    related: [{ at: first.span, message: `\`${first.name}\` asks for \`${first.runtime}\`` }],
    help: 'all stages of a run use one runtime: remove one of the two settings',
  });

/** Sizes as they would be written. */
export const deviceMemoryDiffers = (
  at: Span,
  size: string,
  first: { readonly name: string; readonly size: string; readonly span: Span },
) =>
  error('FTP0922', at, `two budgets set different limits for tensors: \`${first.size}\` and \`${size}\``, {
    label: 'differs from the first',
    related: [{ at: first.span, message: `\`${first.name}\` says \`${first.size}\`` }],
    help: 'all stages of a run share one limit: remove one of the two settings',
  });

/** Information only: the pipeline may be meant for another machine. */
export const deviceMemoryIdle = (size: string, runtime: string) =>
  info('FTP0923', undefined, {
    message: `\`device_memory = ${size}\` limits nothing: \`${runtime}\` uses the memory of the machine`,
    help: 'remove it, or use `tensorflow`, `webgpu` or `wasm`; `require peak_memory <= …` limits the memory of the machine that a stage uses',
  });

/** A warning only: the run will show whether it fits. */
export const deviceSizeUnknown = (detail: string) =>
  warning('FTP0921', undefined, {
    message: `the memory size of the GPU is unknown: \`nvidia-smi\` fails, ${detail}`,
    help: 'the plan considers only the memory of the machine; set how much GPU memory a run may use with `FTPC_DEVICE_MEMORY=6GiB`, for example, or in a budget: `device_memory = 6GiB`',
  });

export const noGpu = () =>
  error('FTP0930', undefined, {
    message: 'WebGPU finds no GPU on this machine',
    help: 'install the Vulkan driver of the GPU and `libvulkan1`, or name a driver in `VK_ICD_FILENAMES`; or use `--runtime onnx`',
  });

/** In bytes. */
export const deviceFull = (asked: number, taken: number, most: number) =>
  error('FTP0931', undefined, {
    message: `out of memory on the device: ${asked} bytes were requested, with ${taken} of ${most} in use`,
    help: 'train with a smaller `batch.micro` or `max_length`, or raise the limit: `FTPC_DEVICE_MEMORY`, or `device_memory` in a budget',
  });

/** In bytes. */
export const tensorTooLarge = (asked: number, most: number) =>
  error('FTP0932', undefined, {
    message: `out of memory for one tensor: it needs ${asked} bytes, and the GPU allows at most ${most}`,
    help: 'train with a smaller `batch.micro` or `max_length`, or use another runtime, e.g. `--runtime onnx`',
  });

export const deviceFailed = (detail: string) =>
  error('FTP0933', undefined, {
    message: `the GPU did not compute: ${detail.split('\n')[0]}`,
    help: 'none of its results were used; run again, and if this repeats, update its driver or use `--runtime onnx`',
  });

/** A warning only: the results are correct. */
export const driverInSoftware = (driver: string) =>
  warning('FTP0936', undefined, {
    message: `WebGPU computes on the CPU, slowly: ${driver} is a software driver`,
    help: 'install the driver of the GPU; without a GPU, `--runtime onnx` is many times faster',
  });

export const wasmAborted = (detail: string) =>
  error('FTP0934', undefined, {
    message: `WebAssembly aborted: ${detail.split('\n')[0]}`,
    help: 'its memory is limited to 4 GiB; use another runtime, e.g. `--runtime onnx`',
  });

export const deviceMemoryUnreadable = (text: string) =>
  error('FTP0935', undefined, {
    message: `\`FTPC_DEVICE_MEMORY\` is not a size: \`${text}\``,
    help: 'write a number with a unit, e.g. `FTPC_DEVICE_MEMORY=6GiB`, or unset the variable',
  });

export const variantUnknown = (text: string, known: readonly string[]) =>
  error('FTP0937', undefined, {
    message: `\`FTPC_TENSORFLOW\` is \`${text}\`, which is not a known variant`,
    help: `write ${known.map((name) => `\`${name}\``).join(', ')}, or unset the variable: the fastest is then measured and used`,
  });

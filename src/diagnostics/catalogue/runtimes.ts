/** What keeps a tensor runtime from being used or installed. */
import type { Span } from '../../source/span.js';
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

const failure = (code: string, message: string, help: string, notes?: readonly string[]): Diagnostic => ({
  code,
  severity: 'error',
  message,
  help,
  ...(notes === undefined || notes.length === 0 ? {} : { notes }),
});

export const runtimeMissing = (title: string, install: string): Diagnostic =>
  failure('FTP0910', `${title} is not installed`, install);

export const runtimeBroken = (title: string, detail: string, install: string): Diagnostic =>
  failure(
    'FTP0911',
    `${title} does not load: ${detail.split('\n')[0]}`,
    `install it anew for this machine: ${install}; or compute with another one, e.g. \`--runtime onnx\``,
  );

/** An installation of which a file is not what was installed. */
export const runtimeDamaged = (title: string, detail: string, install: string): Diagnostic =>
  failure(
    'FTP0911',
    `${title} is damaged, and was not loaded: ${detail}`,
    `put it in order: ${install}; or compute with another one, e.g. \`--runtime onnx\``,
  );

export const installationRuns = (title: string, holder: string): Diagnostic =>
  failure(
    'FTP0938',
    `${title} is being installed or removed by another process: ${holder}`,
    'wait for it to end, then run again',
  );

export const noBuildHere = (title: string, builds: string): Diagnostic =>
  failure(
    'FTP0912',
    `${title} cannot be installed on ${process.platform} on ${process.arch}: it is built for ${builds}`,
    'compute with ONNX Runtime, which needs no installation: `--runtime onnx`',
  );

export const toolMissing = (tool: string, what: string, help: string): Diagnostic =>
  failure('FTP0913', `\`${tool}\` is needed to ${what}, and does not run here`, help);

export const diskTooSmall = (folder: string, needed: string, free: string): Diagnostic =>
  failure(
    'FTP0914',
    `the installation needs ${needed} in \`${folder}\`, and ${free} are free`,
    'free some space, or name another cache folder in `XDG_CACHE_HOME`; what has come is kept',
  );

export const fetchFailed = (url: string, detail: string): Diagnostic =>
  failure(
    'FTP0915',
    `${url} cannot be fetched: ${detail}`,
    'look at the network and at proxies on the way, then run again: what has come is kept, and goes on from there',
  );

export const fetchedOther = (name: string, detail: string): Diagnostic =>
  failure(
    'FTP0916',
    `\`${name}\` came with other content than its index lists: ${detail}`,
    'nothing of it was kept; run again, and look at proxies and mirrors on the way if this repeats',
  );

export const buildFailed = (command: string, output: readonly string[]): Diagnostic =>
  failure(
    'FTP0917',
    `the binding cannot be built: \`${command}\` failed`,
    'install a C++ compiler that knows C++17 (g++ 8 or newer), or name one in `CXX`; nothing was installed',
    output,
  );

export const notListed = (what: string, index: string): Diagnostic =>
  failure(
    'FTP0918',
    `${index} lists no ${what}`,
    'name an index that has it in `PIP_INDEX_URL`; the default is https://pypi.org/simple',
  );

export const doesNotCompute = (title: string, detail: readonly string[]): Diagnostic =>
  failure(
    'FTP0919',
    `${title} was fetched, but does not compute on this machine`,
    'nothing was installed; the notes have what it said',
    detail,
  );

export const runtimesDiffer = (
  at: Span,
  runtime: string,
  first: { readonly name: string; readonly runtime: string; readonly span: Span },
): Diagnostic =>
  error('FTP0920', at, `two budgets ask for different runtimes: \`${first.runtime}\` and \`${runtime}\``, {
    label: 'another one than before',
    related: [{ at: first.span, message: `\`${first.name}\` asks for \`${first.runtime}\`` }],
    help: 'all stages of a run are computed by one runtime: leave one of the two settings out',
  });

/** Sizes as they would be written. */
export const deviceMemoryDiffers = (
  at: Span,
  size: string,
  first: { readonly name: string; readonly size: string; readonly span: Span },
): Diagnostic =>
  error('FTP0922', at, `two budgets let tensors take different sizes: \`${first.size}\` and \`${size}\``, {
    label: 'another one than before',
    related: [{ at: first.span, message: `\`${first.name}\` says \`${first.size}\`` }],
    help: 'all stages of a run keep to one size: leave one of the two settings out',
  });

/** The pipeline may be meant for another machine. */
export const deviceMemoryIdle = (size: string, runtime: string): Diagnostic => ({
  code: 'FTP0923',
  severity: 'info',
  message: `\`device_memory = ${size}\` limits nothing: \`${runtime}\` computes in the memory of the machine`,
  help: 'leave it out, or compute with `tensorflow`, `webgpu` or `wasm`; `require peak_memory <= …` limits what a stage takes of the machine',
});

/** A warning: the run finds out. */
export const deviceSizeUnknown = (detail: string): Diagnostic => ({
  code: 'FTP0921',
  severity: 'warning',
  message: `how much memory the GPU has is not known: \`nvidia-smi\` fails, ${detail}`,
  help: 'the plan reckons with the memory of the machine alone; say how much of the GPU a run may take, in `FTPC_DEVICE_MEMORY`, e.g. `FTPC_DEVICE_MEMORY=6GiB`, or in a budget, e.g. `device_memory = 6GiB`',
});

export const noGpu = (): Diagnostic =>
  failure(
    'FTP0930',
    'WebGPU finds no GPU on this machine',
    'install the Vulkan driver of the GPU and `libvulkan1`, or name one in `VK_ICD_FILENAMES`; or compute with `--runtime onnx`',
  );

/** In bytes. "out of memory" is what the recovery of a training looks for. */
export const deviceFull = (asked: number, taken: number, most: number): Diagnostic =>
  failure(
    'FTP0931',
    `out of memory on the device: ${asked} bytes are asked for, and ${taken} of ${most} are taken`,
    'train with a smaller `micro_batch` or `max_length`, or allow more where it is limited: in `FTPC_DEVICE_MEMORY`, or as `device_memory` in a budget',
  );

/** In bytes; the recovery of a training takes it for a device that is full. */
export const tensorTooLarge = (asked: number, most: number): Diagnostic =>
  failure(
    'FTP0932',
    `out of memory in one piece: a tensor of ${asked} bytes is asked for, and the GPU takes ${most}`,
    'train with a smaller `micro_batch` or `max_length`, or compute with another runtime, e.g. `--runtime onnx`',
  );

export const deviceFailed = (detail: string): Diagnostic =>
  failure(
    'FTP0933',
    `the GPU did not compute: ${detail.split('\n')[0]}`,
    'no result of it was used; run again, and where this repeats bring its driver up to date, or compute with `--runtime onnx`',
  );

/** A warning: what is computed is right. */
export const driverInSoftware = (driver: string): Diagnostic => ({
  code: 'FTP0936',
  severity: 'warning',
  message: `WebGPU computes on the CPU, slowly: ${driver} is a driver in software`,
  help: 'install the driver of the GPU; where there is none, `--runtime onnx` is many times faster',
});

export const wasmAborted = (detail: string): Diagnostic =>
  failure(
    'FTP0934',
    `WebAssembly ended: ${detail.split('\n')[0]}`,
    'its memory ends at 4 GiB; compute with another runtime, e.g. `--runtime onnx`',
  );

export const deviceMemoryUnreadable = (text: string): Diagnostic =>
  failure(
    'FTP0935',
    `\`FTPC_DEVICE_MEMORY\` is no size: \`${text}\``,
    'write a number with its unit, e.g. `FTPC_DEVICE_MEMORY=6GiB`, or leave the variable out',
  );

export const variantUnknown = (text: string, known: readonly string[]): Diagnostic =>
  failure(
    'FTP0937',
    `\`FTPC_TENSORFLOW\` asks for \`${text}\`, which is no way to compute`,
    `write ${known.map((name) => `\`${name}\``).join(', ')}, or leave the variable out: what is fastest is measured`,
  );

/** Programs that answer as the Python of the accelerate engine and as `nvidia-smi` do. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PACKAGE_NAMES, packageOf } from '../../../src/compute/accelerate/packages.js';
import type { Host } from '../../../src/language/host/host.js';

const TRIED = Object.fromEntries(
  PACKAGE_NAMES.flatMap((name) => {
    const { tried } = packageOf(name);
    return tried === undefined ? [] : [[name, tried]];
  }),
);

interface Fake {
  readonly packages?: Readonly<Record<string, string | undefined>>;
  /** Its GPUs, MiB each; none: its PyTorch is for CPUs. */
  readonly gpus?: readonly number[];
}

/** The host with that Python as `FTPC_PYTHON`; a machine with GPUs has their driver. */
export function withPython(host: Host, folder: string, { packages = {}, gpus = [] }: Fake = {}): Host {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const program = (name: string, script: string): string => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
    return join(bin, name);
  };
  const cuda = gpus.length > 0 ? '13.0' : null;
  const facts = { version: '3.12.1', packages: { ...TRIED, ...packages }, cuda };
  const python = program('python', `echo '${JSON.stringify(facts)}'`);
  const lines = gpus.map((mib, at) => `echo "${at}, GPU-${at}, NVIDIA H100, ${mib}, ${mib}"`);
  program('nvidia-smi', lines.length === 0 ? 'echo "No devices were found"; exit 6' : lines.join('\n'));
  const variables: Readonly<Record<string, string>> = {
    FTPC_PYTHON: python,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    CUDA_VISIBLE_DEVICES: '',
  };
  const driver = { size: 0, modified: 0, isFolder: false };
  return {
    ...host,
    env: (name) => (variables[name] === '' ? undefined : (variables[name] ?? host.env(name))),
    stat: (path) =>
      path === '/dev/nvidiactl' ? (gpus.length > 0 ? { ...driver } : undefined) : host.stat(path),
  };
}

import { delimiter, join } from 'node:path';
import { python } from './environment.js';
import { program } from './programs.js';
import type { Situation, Situations } from './types.js';

const GPUS = 'for i in 0 1; do echo "$i, GPU-$i, NVIDIA H100 80GB HBM3, 81559, 80000"; done';

/** Two GPUs and a PyTorch for them. */
const onGpus: Situation = async (ground) => {
  program(ground, 'nvidia-smi', GPUS);
  await python({}, '3.12.1', '13.0')(ground);
  return {
    env: { PATH: `${join(ground.folder, 'bin')}${delimiter}${process.env['PATH']}` },
    host: (real) => ({
      ...real,
      stat: (path) =>
        path === '/dev/nvidiactl' ? { size: 0, isFolder: false, modified: 0 } : real.stat(path),
    }),
  };
};

export const ENGINES: Situations = {
  FTP1803: onGpus,
  FTP1805: python(),
  FTP1806: python(),
  FTP1840: python(),
  FTP1807: python(),
  FTP1808: onGpus,
};

import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
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

/** A base with experts, of which the file of weights has no values that anybody reads. */
const mixture: Situation = ({ folder, write }) => {
  const { packageFolder } = nodeHost(folder);
  const recorded = readFileSync(join(packageFolder, 'test/compute/models/foreign.json'), 'utf8');
  const { mixtral } = JSON.parse(recorded) as {
    mixtral: { config: object; tensors: Record<string, number[]> };
  };
  write('mixtral/config.json', JSON.stringify({ ...mixtral.config, num_hidden_layers: 1 }));
  const tensors = Object.entries(mixtral.tensors).map(([name, shape]) =>
    f32Writable(name, shape, new Float32Array(shape.reduce((product, size) => product * size, 1))),
  );
  write('mixtral/model.safetensors', Buffer.concat([...safetensorsChunks(tensors)]));
  return undefined;
};

export const ENGINES: Situations = {
  FTP1803: onGpus,
  FTP1805: python(),
  FTP1806: python(),
  FTP1840: python(),
  FTP1841: python(),
  FTP1807: python(),
  FTP1808: onGpus,
  FTP1809: mixture,
};

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { nodeHost } from '../../src/language/host/node-host.js';

/** A model whose GGUF files are compared with those of others. */
interface GgufModel {
  /** Says why its tests are left out where it is not there. */
  readonly name: string;
  readonly path: string;
  readonly isThere: boolean;
  readonly types: readonly GgufType[];
}

const ALL = Object.keys(GGUF_TYPES) as readonly GgufType[];
/** Of a real model, where not all are asked for by `FTPC_ALL_TYPES=1`: each takes up to half a minute. */
const SOME: readonly GgufType[] = ['f32', 'q8_0', 'q6_k', 'q4_k_m', 'q4_0'];

const fetched = process.env['FTPC_MODELS'] ?? join(homedir(), '.cache', 'ftpc', 'models');

function real(name: string, file: string): GgufModel {
  const path = join(fetched, file);
  const isThere = existsSync(path);
  const types = process.env['FTPC_ALL_TYPES'] === '1' ? ALL : SOME;
  return { name: isThere ? name : `${name} (not run: ${path} is not there)`, path, isThere, types };
}

/** The starter, and two real ones where they are fetched (`node scripts/models/fetch.mjs`). */
export const GGUF_MODELS: readonly GgufModel[] = [
  {
    name: 'the starter model',
    path: join(nodeHost().packageFolder, 'stdlib', 'models', 'starter'),
    isThere: true,
    types: ALL,
  },
  real('SmolLM2-135M', 'SmolLM2-135M-Instruct.Q4_1.gguf'),
  real('Gemma 3 270M', 'gemma-3-270m-q4_k_m.gguf'),
];

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { FakeRepository } from './server.js';

/** A model of 27,000 random weights with a byte tokenizer. */
const MODEL = join(nodeHost().packageFolder, 'test/fixtures/evaluation/tiny/base');

export const COMMIT = '1234567890abcdef1234567890abcdef12345678';

export const modelFiles = (): Record<string, Buffer> =>
  Object.fromEntries(readdirSync(MODEL).map((name) => [name, readFileSync(join(MODEL, name))]));

/** The tiny model as a repository, beside files that nobody needs. */
export const tinyModel = (more: Partial<FakeRepository> = {}): FakeRepository => ({
  kind: 'models',
  id: 'tiny/base',
  commit: COMMIT,
  files: {
    ...modelFiles(),
    'README.md': Buffer.from('---\nlicense: apache-2.0\n---\n# Tiny\n'),
    'pytorch_model.bin': Buffer.from('never opened'),
    'onnx/model_large.onnx': Buffer.alloc(100),
    '.gitattributes': Buffer.from('*.bin filter=lfs\n'),
  },
  ...more,
});

/** The real machine with another cache and other variables. */
export function hubHost(cwd: string, env: Readonly<Record<string, string>>): Host {
  return { ...nodeHost(cwd), env: (name) => env[name] };
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeDisk } from '../../../src/language/host/node-disk.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type PublishedRelease, type PublishRequest, publish } from '../../../src/pipeline/deploy/publish.js';
import type { ReleaseAccess } from '../../../src/pipeline/deploy/releases.js';

export const access: ReleaseAccess = { host: nodeHost(), disk: nodeDisk() };

/** The code of the `UserError` that `work` throws; `none` if it throws nothing. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic.code;
    throw error;
  }
  return 'none';
}

/** A folder to publish: two small files and one below a folder; `content` tells versions apart. */
export function source(folder: string, content: string): string {
  const path = join(folder, `source-${content}`);
  mkdirSync(join(path, 'deep'), { recursive: true });
  writeFileSync(join(path, 'model.safetensors'), `weights ${content} ${'x'.repeat(10_000)}`);
  writeFileSync(join(path, 'config.json'), '{}');
  writeFileSync(join(path, 'deep', 'tokenizer.json'), content);
  return path;
}

export function request(folder: string, content: string, more: Partial<PublishRequest> = {}): PublishRequest {
  return {
    folder: join(folder, 'releases'),
    source: source(folder, content),
    draft: {
      kind: 'model',
      ftpc: '0.0.0',
      base: { label: 'base', folder: 'base', storage: 'stored', sha256: 'b', files: {} },
      adapter: null,
      stages: [],
      data: [],
      settings: {},
      metrics: {},
      baseline: {},
    },
    smoke: async () => ({ prompt: 'q', answer: 'a' }),
    ...more,
  };
}

export const publishContent = (
  folder: string,
  content: string,
  more: Partial<PublishRequest> = {},
  where: ReleaseAccess = access,
): Promise<PublishedRelease> => publish(where, request(folder, content, more));

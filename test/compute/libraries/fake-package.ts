import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { LibraryName } from '../../../src/compute/libraries/library.js';
import { platformHere } from '../../../src/compute/libraries/platform.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

interface PackOptions {
  readonly version?: string;
  readonly system?: string;
}

/**
 * What the package of ftpc holds of a library, as `scripts/pack-libraries.mjs` writes it: paths in the package, with
 * their content.
 */
export function packed(
  name: LibraryName,
  files: Readonly<Record<string, string>>,
  { version = '1.0.0', system = platformHere() }: PackOptions = {},
): Readonly<Record<string, string | Uint8Array>> {
  const listed = Object.entries(files).map(([path, text]) => [
    path,
    { bytes: Buffer.byteLength(text), sha256: digest(text) },
  ]);
  const content = `${JSON.stringify({ files: Object.fromEntries(listed) })}\n${Object.values(files).join('')}`;
  const archive = brotliCompressSync(content);
  const file = `${name}-${system}.br`;
  const archives = { [system]: { file, sha256: digest(archive) } };
  return {
    [`dist/libraries/${file}`]: archive,
    'dist/libraries/archives.json': JSON.stringify({
      version: 1,
      libraries: { [name]: { version, archives } },
    }),
  };
}

export interface FakePackage {
  readonly folder: string;
  readonly host: Host;
  /** Puts another content in the place of the library. */
  pack(files: Readonly<Record<string, string>>, options?: PackOptions): void;
}

/** A package of ftpc that brings tokenizers of a few lines, and a user's cache. */
export function fakePackage(files: Readonly<Record<string, string>>): FakePackage {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-libraries-')));
  const real = nodeHost(folder);
  const env = (name: string) => (name === 'XDG_CACHE_HOME' ? join(folder, 'cache') : real.env(name));
  const made: FakePackage = {
    folder,
    host: { ...real, env, packageFolder: join(folder, 'package') },
    pack(content, options) {
      mkdirSync(join(folder, 'package', 'dist', 'libraries'), { recursive: true });
      for (const [path, bytes] of Object.entries(packed('tokenizers', content, options)))
        writeFileSync(join(folder, 'package', path), bytes);
    },
  };
  made.pack(files);
  return made;
}

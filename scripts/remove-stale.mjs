// Removes from dist/ what was built from sources that are gone: mocha would run tests that nobody can read any more.
// What still has its source stays, so that the build is incremental and a run in another terminal is not disturbed.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** What `scripts/bundle.mjs` makes has no source of its own. */
const bin = join(dist, 'bin');

if (existsSync(dist))
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const source = join(root, relative(dist, file)).replace(/\.js(\.map)?$/, '.ts');
    if (entry.isFile() && entry.parentPath !== bin && /\.js(\.map)?$/.test(entry.name) && !existsSync(source))
      rmSync(file);
  }

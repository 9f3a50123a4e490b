// Makes `npx ftpc` work in the repository itself: npm links the commands of dependencies, not a package's own.
// Quiet where it cannot.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist', 'bin', 'main.js');
const folder = join(root, 'node_modules', '.bin');

if (existsSync(target) && existsSync(join(root, 'node_modules'))) {
  try {
    chmodSync(target, 0o755);
    mkdirSync(folder, { recursive: true });
    const link = join(folder, 'ftpc');
    rmSync(link, { force: true });
    symlinkSync(relative(folder, target), link);
  } catch {
    // A read-only folder, or a system without links: `node dist/bin/main.js` still works.
  }
}

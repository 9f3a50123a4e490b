import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Ground } from './types.js';

/** A program of the system. */
export function program({ folder, write }: Ground, name: string, script: string): string {
  const file = join('bin', name);
  write(file, `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, file), 0o755);
  return join(folder, file);
}

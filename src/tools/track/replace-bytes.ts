import { renameSync } from 'node:fs';
import { writeWhole } from '../../pipeline/store/index.js';

/** Who reads the file meanwhile has the old one or the new one. */
export function replaceBytes(path: string, content: Uint8Array): void {
  const temporary = `${path}.new`;
  writeWhole(temporary, content, { sync: false });
  renameSync(temporary, path);
}

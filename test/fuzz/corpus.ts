/** What is mangled: every pipeline, module and test of the repository. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../src/language/host/node-host.js';

export interface Text {
  /** Absolute folder that its paths start from. */
  readonly folder: string;
  readonly name: string;
  readonly text: string;
}

/** Sound texts often: a mistake among mistakes proves little. */
const FOLDERS = { pipelines: 8, 'test/corpus/valid': 8, 'test/corpus/invalid': 1, 'stdlib/std': 2 };
/** Long files take the time of a hundred short ones. */
const LONGEST = 20_000;

export function corpus(): readonly Text[] {
  const host = nodeHost();
  return Object.entries(FOLDERS).flatMap(([name, times]) => {
    const folder = join(host.packageFolder, name);
    const texts = readdirSync(folder)
      .filter((file) => file.endsWith('.ftp'))
      .sort()
      // Not under its own name: the library itself stays as it is.
      .map((file) => ({ folder, name: `spoilt-${file}`, text: host.readText(join(folder, file)) }))
      .filter(({ text }) => text.length <= LONGEST);
    return Array.from({ length: times }, () => texts).flat();
  });
}

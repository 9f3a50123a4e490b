import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { checkFile } from '../../../src/language/lint/check-file.js';
import { type Imported, importFile } from '../../../src/tools/import/import-file.js';
import type { ToolName } from '../../../src/tools/import/tools.js';
import { overlayHost } from '../../helpers/overlay-host.js';

/** Files for other tools, written for these tests. */
export const EXAMPLES = join(nodeHost().packageFolder, 'test/tools/import/examples');

/** Imports a text as if it were a file in `folder`. */
export const importText = (
  file: string,
  text: string | Uint8Array,
  { from, devices, host = nodeHost(EXAMPLES) }: { from?: ToolName; devices?: number; host?: Host } = {},
): Promise<Imported> =>
  importFile(host, {
    file,
    bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text,
    fileFolder: dirname(join(host.cwd, file)),
    outputFolder: host.cwd,
    ...(from === undefined ? {} : { from }),
    ...(devices === undefined ? {} : { devices }),
  });

export const importExample = (name: string): Promise<Imported> =>
  importText(name, readFileSync(join(EXAMPLES, name), 'utf8'));

/** Errors of `ftpc check` on a pipeline in the folder of the examples. */
export const errorsOf = (text: string): readonly string[] =>
  checkFile(overlayHost(EXAMPLES, { 'imported.ftp': text }), 'imported.ftp')
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ code, message }) => `${code} ${message}`);

/** What keeps a tensor runtime from being used or installed. */
import type { Diagnostic } from '../types.js';

const failure = (code: string, message: string, help: string, notes?: readonly string[]): Diagnostic => ({
  code,
  severity: 'error',
  message,
  help,
  ...(notes === undefined || notes.length === 0 ? {} : { notes }),
});

export const runtimeMissing = (title: string, install: string): Diagnostic =>
  failure('FTP0910', `${title} is not installed`, install);

export const runtimeBroken = (title: string, detail: string, install: string): Diagnostic =>
  failure(
    'FTP0911',
    `${title} does not load: ${detail.split('\n')[0]}`,
    `install it anew for this machine: ${install}; or compute with another one, e.g. \`--runtime onnx\``,
  );

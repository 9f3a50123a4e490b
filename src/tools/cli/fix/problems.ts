/** FTP106x: sources that cannot be fixed on the disk. */
import { error, wholeFile } from '../../../language/diagnostics/make.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';

export const notWritable = (file: string, why: string): Diagnostic =>
  error('FTP1060', wholeFile(file), `\`${file}\` cannot be written: ${why}`, {
    help: 'nothing was changed; `--diff` shows what would change',
  });

export const changedMeanwhile = (file: string): Diagnostic =>
  error('FTP1061', wholeFile(file), `\`${file}\` was changed while it was checked`, {
    help: 'nothing was changed; run the command again',
  });

export const notText = (file: string): Diagnostic =>
  error('FTP1062', wholeFile(file), `\`${file}\` is not valid UTF-8 text`, {
    help: 'nothing was changed; save the file as UTF-8 first',
  });

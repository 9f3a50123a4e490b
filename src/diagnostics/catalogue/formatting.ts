/** FTP110x: files that are not formatted. */
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

const at = (file: string) => ({ file, line: 0, column: 0 });

export const notFormatted = (file: string): Diagnostic =>
  error('FTP1101', at(file), `\`${file}\` is not formatted, because it cannot be read as a whole`, {
    help: 'mend the errors above and format it again',
  });

export const changesMeaning = (file: string): Diagnostic =>
  error('FTP1102', at(file), `\`${file}\` is left as it is: formatted, it would not say the same`, {
    help: 'this is a mistake of the formatter; please report it with the file',
  });

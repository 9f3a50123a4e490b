/** FTP110x: files that are not formatted. */
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

const at = (file: string) => ({ file, line: 0, column: 0 });

export const notFormatted = (file: string): Diagnostic =>
  error('FTP1101', at(file), `\`${file}\` is not formatted, because it cannot be read as a whole`, {
    help: 'mend the errors above (`ftpc check --fix` mends some) and format it again',
  });

export const changesMeaning = (file: string): Diagnostic =>
  error('FTP1102', at(file), `\`${file}\` is left as it is: formatted, it would not say the same`, {
    help: 'this is a mistake of the formatter; please report it with the file',
  });

export const nothingToFormat = (folder: string): Diagnostic =>
  error('FTP1103', at(folder), `there is no \`.ftp\` file in \`${folder}\``, {
    help: 'name a file or another folder; `node_modules` and what starts with a dot are left out',
  });

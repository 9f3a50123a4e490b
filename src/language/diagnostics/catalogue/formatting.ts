/** FTP110x: files that are not formatted. */
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

const at = (file: string) => ({ file, line: 0, column: 0 });

export const notFormatted = (file: string): Diagnostic =>
  error('FTP1101', at(file), `\`${file}\` is not formatted, because it cannot be read as a whole`, {
    help: 'fix the errors above (`ftpc check --fix` fixes some of them), then format it again',
  });

export const changesMeaning = (file: string): Diagnostic =>
  error('FTP1102', at(file), `\`${file}\` was left unchanged: formatting would change its meaning`, {
    help: 'this is a bug in the formatter; please report it, with the file',
  });

export const nothingToFormat = (folder: string): Diagnostic =>
  error('FTP1103', at(folder), `there is no \`.ftp\` file in \`${folder}\``, {
    help: 'give a file or another folder; `node_modules` and names that start with a dot are skipped',
  });

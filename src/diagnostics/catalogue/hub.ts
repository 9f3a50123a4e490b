/** FTP140x–141x: models and data sets of a hub. */
import type { Span } from '../../source/span.js';
import { error } from '../make.js';
import type { Diagnostic } from '../types.js';

export const badRepository = (at: Span, id: string): Diagnostic =>
  error('FTP1401', at, `\`${id}\` cannot be the name of a repository`, {
    label: 'not `org/name`',
    help: 'write the name as it stands on the model\'s page: letters, digits, `-`, `_` and `.`, with one slash; a folder is named with `local("…")`',
  });

export const badRevision = (at: Span, revision: string): Diagnostic =>
  error('FTP1402', at, `\`${revision}\` cannot be a revision`, {
    label: 'no branch, tag or commit',
    help: 'write a branch or tag such as `main`, or the 40 hexadecimal digits of a commit',
  });

export const notPinned = (id: string, revision: string): Diagnostic =>
  error('FTP1403', undefined, `no commit of \`${id}\` is known for the revision \`${revision}\``, {
    help: 'run `ftpc lock` on the pipeline, or `ftpc plan`, where the Hub can be reached',
  });

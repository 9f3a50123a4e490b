/** FTP0519 on: rows that a pipeline's text shows to be no rows for it. */
import type { Span } from '../../source/span.js';
import { error, named } from '../make.js';
import type { Diagnostic } from '../types.js';

/** Columns that a message names of a row that may have hundreds. */
const MOST = 8;

export const otherColumns = (
  at: Span,
  found: {
    readonly template: string;
    readonly needed: readonly string[];
    readonly source: string;
    readonly brought: readonly string[];
    /** Where the source is. */
    readonly at: Span;
    /** A template that reads what the source brings. */
    readonly fitting: string | undefined;
    /** The source can say what its columns are called. */
    readonly canBeNamed: boolean;
  },
): Diagnostic =>
  error(
    'FTP0519',
    at,
    `\`${found.template}\` reads ${named(found.needed, 'and')}, but the rows of \`${found.source}\` have ${named(found.brought.slice(0, MOST), 'and')}`,
    {
      label: 'finds none of its columns',
      related: [{ at: found.at, message: 'these rows' }],
      help:
        found.fitting !== undefined
          ? `write \`template = ${found.fitting}()\`, or choose another \`source\``
          : found.canBeNamed
            ? 'name the columns in the `source`: `columns: { instruction: "…", output: "…" }`'
            : 'choose a `source` whose rows have these columns',
    },
  );

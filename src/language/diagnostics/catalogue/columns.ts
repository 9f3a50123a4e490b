/** FTP0519…: columns that a template needs and a source does not have. */
import type { Span } from '../../source/span.js';
import { error, named } from '../make.js';
import type { Diagnostic } from '../types.js';

/** Columns that a message lists at most. */
const MOST = 8;

export const otherColumns = (
  at: Span,
  found: {
    readonly template: string;
    readonly needed: readonly string[];
    readonly source: string;
    readonly columns: readonly string[];
    /** Span of the source. */
    readonly at: Span;
    /** A template that fits the columns of the source. */
    readonly fitting: string | undefined;
    /** Whether the source can map its columns. */
    readonly canBeNamed: boolean;
  },
): Diagnostic =>
  error(
    'FTP0519',
    at,
    `\`${found.template}\` reads ${named(found.needed, 'and')}, but the rows of \`${found.source}\` have ${named(found.columns.slice(0, MOST), 'and')}`,
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

import { userError } from '../../../../language/diagnostics/make.js';
import type { Span } from '../../../../language/source/span.js';

export const unreadable = (metric: string, count: number, of: number, first: string, at: Span) =>
  userError('FTP2176', at, `${count} of ${of} replies for \`${metric}\` are no verdict`, {
    notes: [`the first of them is ${JSON.stringify(first.slice(0, 200))}`],
    help: 'ask a larger model, or one that is held to a JSON Schema, such as those of `ftpc serve`',
  });

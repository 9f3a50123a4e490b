/** FTP2174–2175: servers that are asked and do not answer. */
import { error } from '../../language/diagnostics/make.js';
import type { Span } from '../../language/source/span.js';

export const endpointAway = (url: string, detail: string, at: Span) =>
  error('FTP2174', at, `the endpoint ${url} does not answer`, {
    notes: [detail],
    help: 'run again once it does: what it has answered is kept, and not asked again; `timeout: 5min` waits longer, `concurrency: 1` asks less at a time',
  });

export const endpointRefused = (url: string, said: string, at: Span) =>
  error('FTP2175', at, `the endpoint ${url} does not do what it is asked`, {
    notes: [said],
    help: 'compare address, `model:` and `key:` with what the server’s makers say; the address ends before `/chat/completions`',
  });

/** Opens the connection to the editor on standard input and output. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node.js';
import { serve } from '../../language-server/server.js';
import type { Host } from '../../source/host.js';
import { ftpcVersion } from '../version.js';
import { planProcess } from './plan-process.js';

/** Never ends by itself: the editor's `exit`, or its end, ends the process. */
export function listen(host: Host): Promise<number> {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  serve({ connection, host, planner: planProcess(), version: ftpcVersion(host) });
  return new Promise(() => {});
}

/** The thread that answers the editor. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  createConnection,
  PortMessageReader,
  PortMessageWriter,
  ProposedFeatures,
} from 'vscode-languageserver/node.js';
import { nodeHost } from '../../../language/host/node-host.js';
import { ftpcVersion } from '../../../language/host/version.js';
import { serve } from '../../language-server/server.js';
import { planProcess } from './plan-process.js';

if (parentPort === null) throw new Error('this is a thread of `listen`');
const { cwd } = workerData as { readonly cwd: string };
const host = nodeHost(cwd);
// A message that was posted arrives whatever comes after it; what is written to a stream is lost with an exit.
const connection = createConnection(
  ProposedFeatures.all,
  new PortMessageReader(parentPort),
  new PortMessageWriter(parentPort),
);
serve({ connection, host, planner: planProcess(), version: ftpcVersion(host) });

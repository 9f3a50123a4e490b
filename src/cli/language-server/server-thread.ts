/** The thread that speaks with the editor. */
import { workerData } from 'node:worker_threads';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node.js';
import { serve } from '../../language-server/server.js';
import { nodeHost } from '../../source/node-host.js';
import { ftpcVersion } from '../version.js';
import { planProcess } from './plan-process.js';

const { cwd } = workerData as { readonly cwd: string };
const host = nodeHost(cwd);
const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
serve({ connection, host, planner: planProcess(), version: ftpcVersion(host) });

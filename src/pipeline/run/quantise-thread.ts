/** The thread that quantises tensors of a base: gets their names, and says what they become. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DoubleNf4 } from '../../compute/models/weights/nf4-quantise.js';
import { verifying } from '../../compute/packaging/sealed.js';
import { nodeHost } from '../../language/host/node-host.js';
import { openResolved } from '../stages/open-models.js';
import type { QuantiserTask } from '../stages/stage.js';
import type { QuantiseAnswer } from './quantise-in-threads.js';

const { cwd, base } = workerData as QuantiserTask;
const model = openResolved(verifying(nodeHost(cwd)), base);

const buffersOf = ({ codes, constants, scales }: DoubleNf4): ArrayBuffer[] =>
  [codes, constants, scales].map(({ buffer }) => buffer as ArrayBuffer);

parentPort?.on('message', (name: string) => {
  let data: DoubleNf4 | undefined;
  try {
    data = model.quantise(name);
  } catch {
    // the training quantises it itself, and says what is wrong
  }
  const answer: QuantiseAnswer = { name, data };
  parentPort?.postMessage(answer, data === undefined ? [] : buffersOf(data));
});

/** The thread that quantises tensors of a base: gets their names, and says what they become. */
import { workerData } from 'node:worker_threads';
import type { DoubleNf4 } from '../../../compute/models/weights/nf4-quantise.js';
import { verifying } from '../../../compute/packaging/sealed.js';
import { nodeHost } from '../../../language/host/node-host.js';
import { openResolved } from '../../stages/open-models.js';
import type { QuantiserTask } from '../../stages/stage.js';
import { answerQuestions } from './answering-thread.js';

const { cwd, base, shared } = workerData as QuantiserTask;
const model = openResolved(verifying(nodeHost(cwd)), base);

answerQuestions(
  (name: string) => model.quantise(name, shared),
  ({ codes, constants, scales }: DoubleNf4) =>
    [codes, constants, scales].flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])),
);

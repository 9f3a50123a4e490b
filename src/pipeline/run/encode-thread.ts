/** The thread that encodes rows of a format stage: gets batches of lines, and says what they become. */
import { parentPort, workerData } from 'node:worker_threads';
import { verifying } from '../../compute/packaging/sealed.js';
import { nodeHost } from '../../language/host/node-host.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { buffersOf, encodeRows } from '../stages/format/encoded-rows.js';
import { openTaskEncoder, openTaskModel } from '../stages/format/encoding.js';
import type { EncoderTask } from '../stages/stage.js';
import type { EncodeAnswer, EncodeRequest } from './encode-in-threads.js';

const task = workerData as EncoderTask;
const { template } = settingsOf(task.stage, 'format');
const encoder = await openTaskEncoder(openTaskModel(verifying(nodeHost(task.cwd)), task), task);

const say = (answer: EncodeAnswer): void =>
  parentPort?.postMessage(answer, answer.rows === undefined ? [] : buffersOf(answer.rows));

parentPort?.on('message', ({ number, lines }: EncodeRequest) => {
  let rows: EncodeAnswer['rows'];
  try {
    rows = encodeRows(lines, encoder, template.call);
  } catch {
    // the stage encodes them itself, and says what is wrong
  }
  say({ number, rows });
});

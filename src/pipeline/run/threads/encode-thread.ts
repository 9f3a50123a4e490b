/** The thread that encodes rows of a format stage: gets batches of lines, and says what they become. */
import { workerData } from 'node:worker_threads';
import { verifying } from '../../../compute/packaging/sealed.js';
import { nodeHost } from '../../../language/host/node-host.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { BatchEncoder, type BatchQuestion } from '../../stages/format/encoded-rows.js';
import { openTaskEncoder, openTaskModel } from '../../stages/format/encoding.js';
import type { EncoderTask } from '../../stages/stage.js';
import { answerQuestions } from './answering-thread.js';

const task = workerData as EncoderTask;
const { template } = settingsOf(task.stage, 'format');
const encoder = await openTaskEncoder(openTaskModel(verifying(nodeHost(task.cwd)), task), task);

const batches = new BatchEncoder(encoder, template.call);

answerQuestions(
  (question: BatchQuestion) => batches.encode(question),
  ({ memory }) => Object.values(memory),
);

/** The thread that dequantises weights of a training: gets codes and memory, and hands the memory back filled. */
import { dequantiseAll } from '../../../compute/models/weights/dequantising-threads.js';
import { answerQuestions } from './answering-thread.js';
import type { DequantisingQuestion } from './dequantise-in-threads.js';

answerQuestions(
  ({ tensors, values }: DequantisingQuestion) => dequantiseAll(tensors, values),
  ({ buffer }) => [buffer],
);

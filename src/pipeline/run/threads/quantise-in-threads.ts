/** Threads of the process of a training, each of which reads a base's tensors and quantises them. */
import type { DoubleNf4 } from '../../../compute/models/weights/nf4-quantise.js';
import type { QuantiserTask, QuantisingThread } from '../../stages/stage.js';
import { AnsweringThread } from './answering-thread.js';

export const quantiseInThreads = (task: QuantiserTask, count: number): readonly QuantisingThread[] =>
  Array.from({ length: count }, () => {
    const thread = new AnsweringThread<string, DoubleNf4>('./quantise-thread.js', task);
    return { quantise: (name) => thread.ask(name), end: () => thread.end() };
  });

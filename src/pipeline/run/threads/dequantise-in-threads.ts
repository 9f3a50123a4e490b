/** Threads of the process of a training that dequantise blocks of its base next to it. */
import type {
  CodedValues,
  DequantisingThread,
} from '../../../compute/models/weights/dequantising-threads.js';
import { AnsweringThread } from './answering-thread.js';

export interface DequantisingQuestion {
  readonly tensors: readonly CodedValues[];
  readonly values: Float32Array<ArrayBuffer>;
}

export const dequantiseInThreads = (count: number): readonly DequantisingThread[] =>
  Array.from({ length: count }, () => {
    const thread = new AnsweringThread<DequantisingQuestion, DequantisingQuestion['values']>(
      './dequantise-thread.js',
      {},
    );
    return {
      dequantise: (tensors, values) => thread.ask({ tensors, values }, [values.buffer]),
      end: () => thread.end(),
    };
  });

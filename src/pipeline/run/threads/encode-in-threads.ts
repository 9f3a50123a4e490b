/** Threads of the process of a format stage, each with a tokenizer and a template of its own, and as little room for short-lived objects. */
import type { BatchQuestion, EncodedRows } from '../../stages/format/encoded-rows.js';
import { AHEAD } from '../../stages/format/encoding.js';
import type { EncoderTask, EncodingThread } from '../../stages/stage.js';
import { AnsweringThread } from './answering-thread.js';

export const encodeInThreads = (task: EncoderTask, count: number): readonly EncodingThread[] =>
  Array.from({ length: count }, () => {
    const thread = new AnsweringThread<BatchQuestion, EncodedRows>('./encode-thread.js', task);
    return {
      get isFree() {
        return (thread.waiting ?? AHEAD) < AHEAD;
      },
      encode: (question) => thread.ask(question, Object.values(question.memory)),
      end: () => thread.end(),
    };
  });

/** Threads of the process of a format stage, each with a tokenizer and a template of its own. */
import type { EncodedRows } from '../../stages/format/encoded-rows.js';
import { AHEAD } from '../../stages/format/encoding.js';
import type { EncoderTask, EncodingThread } from '../../stages/stage.js';
import { AnsweringThread } from './answering-thread.js';

/** Megabytes for young objects: half of what V8 takes, which costs no time that could be measured. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

export const encodeInThreads = (task: EncoderTask, count: number): readonly EncodingThread[] =>
  Array.from({ length: count }, () => {
    const thread = new AnsweringThread<Uint8Array<ArrayBuffer>, EncodedRows>(
      './encode-thread.js',
      task,
      LIMITS,
    );
    return {
      get isFree() {
        return (thread.waiting ?? AHEAD) < AHEAD;
      },
      encode: (lines) => thread.ask(lines),
      end: () => thread.end(),
    };
  });

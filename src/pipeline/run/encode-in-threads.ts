/** Threads of the process of a format stage, each with a tokenizer and a template of its own. */
import { Worker } from 'node:worker_threads';
import type { EncodedRows } from '../stages/format/encoded-rows.js';
import { AHEAD } from '../stages/format/encoding.js';
import type { EncoderTask, EncodingThread } from '../stages/stage.js';

export interface EncodeRequest {
  readonly number: number;
  readonly lines: Uint8Array<ArrayBuffer>;
}

export interface EncodeAnswer {
  readonly number: number;
  /** Left out where it failed. */
  readonly rows?: EncodedRows;
}

export const encodeInThreads = (task: EncoderTask, count: number): readonly EncodingThread[] =>
  Array.from({ length: count }, () => new WorkerEncoding(task));

/** Megabytes for young objects: half of what V8 takes, which costs no time that could be measured. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

type Settle = (rows: EncodedRows | undefined) => void;

class WorkerEncoding implements EncodingThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Settle>();
  private isLost = false;
  private next = 0;

  constructor(task: EncoderTask) {
    this.worker = new Worker(new URL('./encode-thread.js', import.meta.url), {
      workerData: task,
      resourceLimits: LIMITS,
    });
    this.worker.on('message', ({ number, rows }: EncodeAnswer) => this.settle(number, rows));
    // an error of a thread ends it; what it had is encoded by the stage
    this.worker.on('error', () => this.lose());
    this.worker.on('exit', () => this.lose());
  }

  get isFree(): boolean {
    return !this.isLost && this.pending.size < AHEAD;
  }

  encode(lines: Uint8Array<ArrayBuffer>): Promise<EncodedRows | undefined> {
    const number = this.next++;
    return new Promise((settle) => {
      this.pending.set(number, settle);
      this.worker.postMessage({ number, lines } satisfies EncodeRequest);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(number: number, rows: EncodedRows | undefined): void {
    this.pending.get(number)?.(rows);
    this.pending.delete(number);
  }

  private lose(): void {
    this.isLost = true;
    for (const number of [...this.pending.keys()]) this.settle(number, undefined);
  }
}

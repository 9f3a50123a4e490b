/** Threads of the process of a training, each of which reads a base's tensors and quantises them. */
import { Worker } from 'node:worker_threads';
import type { DoubleNf4 } from '../../compute/models/weights/nf4-quantise.js';
import type { QuantiserTask, QuantisingThread } from '../stages/stage.js';

export interface QuantiseAnswer {
  readonly name: string;
  /** Left out where it failed. */
  readonly data?: DoubleNf4;
}

export const quantiseInThreads = (task: QuantiserTask, count: number): readonly QuantisingThread[] =>
  Array.from({ length: count }, () => new WorkerQuantising(task));

type Settle = (data: DoubleNf4 | undefined) => void;

class WorkerQuantising implements QuantisingThread {
  private readonly worker: Worker;
  private readonly pending = new Map<string, Settle>();
  private isLost = false;

  constructor(task: QuantiserTask) {
    this.worker = new Worker(new URL('./quantise-thread.js', import.meta.url), { workerData: task });
    this.worker.on('message', ({ name, data }: QuantiseAnswer) => this.settle(name, data));
    // an error of a thread ends it; what it had is quantised by the training
    this.worker.on('error', () => this.lose());
    this.worker.on('exit', () => this.lose());
  }

  quantise(name: string): Promise<DoubleNf4 | undefined> {
    if (this.isLost) return Promise.resolve(undefined);
    return new Promise((settle) => {
      this.pending.set(name, settle);
      this.worker.postMessage(name);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(name: string, data: DoubleNf4 | undefined): void {
    this.pending.get(name)?.(data);
    this.pending.delete(name);
  }

  private lose(): void {
    this.isLost = true;
    for (const name of [...this.pending.keys()]) this.settle(name, undefined);
  }
}

/** Threads that answer one question after another; where one fails, whoever asks does it without. */
import { parentPort, Worker } from 'node:worker_threads';

interface Question {
  readonly number: number;
  readonly question: unknown;
}

interface Answer {
  readonly number: number;
  /** Left out where it failed. */
  readonly answer?: unknown;
}

type Settle = (answer: unknown) => void;

/** `program`: the module that the thread runs, which is next to this one and calls {@link answerQuestions}. */
export class AnsweringThread<Asked, Given> {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Settle>();
  private isLost = false;
  private next = 0;

  constructor(program: string, task: object) {
    this.worker = new Worker(new URL(program, import.meta.url), { workerData: task });
    this.worker.on('message', ({ number, answer }: Answer) => this.settle(number, answer));
    // an error of a thread ends it
    this.worker.on('error', () => this.lose());
    this.worker.on('exit', () => this.lose());
  }

  /** Questions that are not answered yet; `undefined` once the thread is lost. */
  get waiting(): number | undefined {
    return this.isLost ? undefined : this.pending.size;
  }

  /** `handedOver`: what of the question is no longer this thread's. */
  ask(question: Asked, handedOver: readonly ArrayBuffer[] = []): Promise<Given | undefined> {
    if (this.isLost) return Promise.resolve(undefined);
    const number = this.next++;
    return new Promise((settle) => {
      this.pending.set(number, settle as Settle);
      this.worker.postMessage({ number, question } satisfies Question, handedOver);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(number: number, answer: unknown): void {
    this.pending.get(number)?.(answer);
    this.pending.delete(number);
  }

  private lose(): void {
    this.isLost = true;
    for (const number of [...this.pending.keys()]) this.settle(number, undefined);
  }
}

/** In such a thread. `buffersOf`: what of an answer is handed over, and not copied. */
export function answerQuestions<Asked, Given>(
  answer: (question: Asked) => Given,
  buffersOf: (given: Given) => ArrayBuffer[],
): void {
  parentPort?.on('message', ({ number, question }: Question) => {
    try {
      const given = answer(question as Asked);
      parentPort?.postMessage({ number, answer: given } satisfies Answer, buffersOf(given));
    } catch {
      // whoever asked says what is wrong
      parentPort?.postMessage({ number } satisfies Answer);
    }
  });
}

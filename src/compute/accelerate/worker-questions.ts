/** What a worker was asked and has not answered yet. */
import type * as v from 'valibot';
import { checkJson, JsonFault } from '../../language/host/json.js';
import { faultError, type WorkerPlace } from './worker-diagnostics.js';
import type { WorkerLine } from './worker-lines.js';

export interface Question<S extends v.GenericSchema> {
  readonly do: string;
  /** What is asked, for people. */
  readonly label: string;
  readonly fields: object;
  readonly answer: S;
  /** Called for what is said before the answer; `tell` says something about the question. */
  readonly line?: (line: WorkerLine, tell: (control: object) => void) => void;
  readonly signal?: AbortSignal;
}

interface Pending {
  readonly label: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
  line(line: WorkerLine): void;
}

export class Questions {
  private readonly pending = new Map<number, Pending>();
  private last = 0;

  constructor(
    private readonly write: (line: object) => void,
    private readonly place: () => WorkerPlace,
  ) {}

  get isAsked(): boolean {
    return this.pending.size > 0;
  }

  hear(line: WorkerLine): void {
    const id = 'id' in line ? line.id : 0;
    const asked = this.pending.get(id);
    if (asked === undefined) return;
    if ('error' in line) asked.reject(faultError(line.error, asked.label, this.place()));
    else if ('value' in line) asked.resolve(line.value);
    else asked.line(line);
  }

  /** No question will be answered. */
  fail(error: () => Error): void {
    for (const { reject } of this.pending.values()) reject(error());
  }

  ask<S extends v.GenericSchema>(question: Question<S>): Promise<v.InferInput<S>> {
    const { label, fields, answer, line, signal } = question;
    signal?.throwIfAborted();
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.pending.delete(id);
        signal?.removeEventListener('abort', abort);
      };
      const fail = (error: unknown): void => {
        settle();
        reject(error);
      };
      const abort = (): void => {
        this.write({ id, do: 'cancel' });
        fail(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.pending.set(id, {
        label,
        resolve(value) {
          const read = checkJson(answer, value);
          if (read instanceof JsonFault) return fail(new Error(`a worker's answer: ${read.detail}`));
          settle();
          resolve(read);
        },
        reject: fail,
        line: (said) => line?.(said, (control) => this.write({ id, ...control })),
      });
      this.write({ id, do: question.do, ...fields });
    });
  }
}

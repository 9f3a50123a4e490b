/** Models that a Python process evaluates: PyTorch, transformers and PEFT, of any architecture that these know. */
import { delimiter } from 'node:path';
import type { Host } from '../../language/host/host.js';
import type { Span } from '../../language/source/span.js';
import type { LanguageModel } from '../evaluation/language-model.js';
import type { AccelerateEngine } from './engine.js';
import { driverFolder } from './installed.js';
import { boundsOf } from './rank-bounds.js';
import { OPENED } from './worker-lines.js';
import { type WorkerModel, workerModel } from './worker-model.js';
import { startWorkerProcess } from './worker-process.js';

export interface WorkerOptions {
  readonly engine: Pick<AccelerateEngine, 'python' | 'versions'> & {
    readonly device: AccelerateEngine['device'] | 'auto';
  };
  readonly threads?: number;
  /** The stage that it works for. */
  readonly at?: Span;
  printed?(text: string): void;
  memory?(bytes: number): void;
}

export interface EvaluationWorker {
  readonly pid: number | undefined;
  /** Opens a model in the place of the one before; a base that both have is read once. */
  open(model: WorkerModel, signal?: AbortSignal): Promise<LanguageModel>;
  close(): Promise<void>;
}

export function startWorker(host: Host, options: WorkerOptions): EvaluationWorker {
  const { engine, threads } = options;
  const worker = startWorkerProcess({
    ...options,
    python: engine.python,
    args: ['-m', 'ftpc_driver', 'worker'],
    environment: {
      PYTHONPATH: [driverFolder(host), host.env('PYTHONPATH') ?? '']
        .filter((path) => path !== '')
        .join(delimiter),
      ...(threads === undefined ? {} : { OMP_NUM_THREADS: String(threads) }),
      TOKENIZERS_PARALLELISM: 'false',
      HF_HUB_OFFLINE: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      TRANSFORMERS_OFFLINE: '1',
      TRANSFORMERS_VERBOSITY: 'error',
    },
    bounds: boundsOf((name) => host.env(name)),
  });
  return {
    pid: worker.pid,
    async open(model, signal) {
      const { label, spec, adapter } = model;
      const opened = await worker.ask({
        do: 'open',
        label,
        fields: {
          model: spec,
          adapter: adapter === undefined ? null : { folder: adapter },
          device: engine.device,
          versions: engine.versions,
        },
        answer: OPENED,
        signal,
      });
      return workerModel(worker, model, opened);
    },
    close: () => worker.close(),
  };
}

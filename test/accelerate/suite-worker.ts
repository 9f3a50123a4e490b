import { type EvaluationWorker, startWorker } from '../../src/compute/accelerate/worker.js';
import type { Host } from '../../src/language/host/host.js';
import { ranks } from './python.js';

/** Opens models in a worker of one rank, which is there from before the tests of a suite until after them. */
export function suiteWorker(host: Host): Pick<EvaluationWorker, 'open'> {
  let worker: EvaluationWorker | undefined;
  before(() => {
    worker = startWorker(host, { engine: ranks(1), threads: 1 });
  });
  after(() => worker?.close());
  return {
    open(...model) {
      if (worker === undefined) throw new RangeError('a model is opened in a test');
      return worker.open(...model);
    },
  };
}

/** What the process takes that evaluates and answers on the accelerate engine. */
import { expect } from 'chai';
import { openModel } from '../../../../src/compute/models/load.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import {
  type WorkerModel,
  type WorkerPlace,
  type WorkerRows,
  workerPeak,
} from '../../../../src/pipeline/planner/memory/worker.js';

const GIB = 2 ** 30;

describe('the peak of a worker', () => {
  const host = nodeHost();
  const { config } = openModel(host, `${host.packageFolder}/stdlib/models/starter`);
  const model: WorkerModel = { config, isBf16: false, isQuantised: false };
  const gpu: WorkerPlace = { device: 'cuda', devices: 2, availableBytes: 20 * GIB, hasDevice: true };
  const partsOf = (one: WorkerModel, place: WorkerPlace, rows: WorkerRows) => {
    const peak = workerPeak(one, place, rows);
    return (peak.device ?? peak).parts;
  };

  it('has weights in the type that they are computed with, or in 4 bits', () => {
    const [wide, narrow, quantised] = [
      partsOf(model, gpu, { longest: 32 }),
      partsOf({ ...model, isBf16: true }, gpu, { longest: 32 }),
      partsOf({ ...model, isQuantised: true }, gpu, { longest: 32 }),
    ];
    expect(narrow.weights).to.equal(Math.ceil(wide.weights / 2));
    expect(quantised.weights).to.be.lessThan(wide.weights);
    expect([wide.workspace, quantised.workspace > 0]).to.deep.equal([0, true]);
  });

  it('has an adapter in float32, whatever the base is', () => {
    for (const one of [model, { ...model, isBf16: true }, { ...model, isQuantised: true }]) {
      const [alone, adapted] = [one, { ...one, adapterNumbers: 1000 }].map((each) =>
        partsOf(each, gpu, { longest: 32 }),
      );
      expect(adapted).to.deep.equal({ ...alone, adapter: 4000 });
    }
  });

  it('spreads a base over all GPUs that is too large for one', () => {
    const { weights } = partsOf(model, gpu, { longest: 32 });
    const small = { ...gpu, availableBytes: weights };
    expect(partsOf(model, small, { longest: 32 }).weights).to.equal(Math.ceil(weights / 2));
  });

  it('grows with the longest row on a CPU, and with the keys and values of answers', () => {
    const cpu: WorkerPlace = { device: 'cpu', devices: 1, hasDevice: false };
    const logits = (longest: number) => partsOf(model, cpu, { longest }).logits;
    expect(logits(100)).to.equal(logits(512));
    expect(logits(1024)).to.equal(2 * logits(512));
    const roomy = { ...gpu, availableBytes: 2000 * GIB };
    const answers = (rows: number) =>
      partsOf(model, roomy, { longest: 64, answers: { rows, tokens: 60_000 } }).activations;
    expect(answers(200)).to.be.greaterThan(1.9 * answers(100));
    expect(answers(1000)).to.equal(answers(256));
  });
});

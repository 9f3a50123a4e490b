/**
 * What factors over experts add to the tensors of a training: counted with torch 2.15, transformers 5.24 and PEFT
 * 0.21.2, over Mixtral and gpt-oss alike, as the difference to the same training without them
 * (`ftpc_driver.probe.storages`).
 */
import { expect } from 'chai';
import {
  type DriverRun,
  decoderShape,
  driverTraining,
  type Phase,
  torchPeak,
} from '../../../../src/compute/accelerate/memory/index.js';

const EXPERTS = { count: 8, inner: 192, hidden: 64, chosen: 2, rank: 3 };
const MATRIX = EXPERTS.count * EXPERTS.inner * EXPERTS.hidden;

const shape = decoderShape({
  ...{ name: 'mixtral', type: 'mixtral', layers: 4, hidden: EXPERTS.hidden, heads: 4, keyValueHeads: 2 },
  ...{ inner: EXPERTS.inner, vocabulary: 64, experts: EXPERTS.count, activeExperts: EXPERTS.chosen },
});

/** Two rows of eight tokens; factors over gate and up, and over down. */
const bytesAt = (phase: Phase, precision: 'f32' | 'bf16', hasExperts: boolean): number => {
  const { count, rank, hidden, inner, chosen } = EXPERTS;
  const run: DriverRun = {
    shape,
    adapter: {
      ...{ parameters: 1000, dropout: 0, targets: [{ reads: 'attention input', inputs: hidden, rank }] },
      ...(hasExperts && {
        experts: {
          numbers: 3 * MATRIX,
          factors: count * rank * (hidden + 2 * inner + (inner + hidden)),
          gradients: MATRIX,
          inputs: chosen * (hidden + inner),
        },
      }),
    },
    ...{ precision, isQuantised: false, device: 'cpu', attention: 'sdpa', isPacked: false, checkpointed: 0 },
    ...{ accumulation: 1, rows: 2, length: 8, predicted: 14, optimizer: { state: 8, temporary: 0 } },
    sharding: { kind: 'none', world: 1, isOffloaded: false },
  };
  return torchPeak(driverTraining(run)).phases.find((one) => one.phase === phase)?.bytes ?? 0;
};

describe('memory of factors over experts', () => {
  for (const [precision, saved, backward] of [
    ['f32', 4_849_664, 5_201_920],
    ['bf16', 2_560_000, 2_736_128],
  ] as const) {
    const added = (phase: Phase): number =>
      bytesAt(phase, precision, true) - bytesAt(phase, precision, false);

    it(`is what autograd saves of them in ${precision}`, () => {
      expect(added('head')).to.equal(saved);
    });

    it(`is within 2 % of the peak of the backward pass in ${precision}`, () => {
      expect(added('last_block')).to.be.within(backward, 1.02 * backward);
    });
  }
});

import { expect } from 'chai';
import { lossWatch } from '../../../src/compute/training/watch.js';

describe('the watch over the loss', () => {
  const said = (losses: readonly number[], before: readonly number[] = []): number[] => {
    const record = (loss: number, index: number) => ({ step: index + 1, loss });
    const history = before.map((loss, index) => ({
      ...record(loss, index),
      epoch: 1,
      learningRate: 1,
      gradNorm: 1,
      tokens: 1,
      seconds: 1,
    }));
    const watch = lossWatch(history);
    return losses
      .map((loss, index) => record(loss, before.length + index))
      .filter((each) => watch.look(each).warning !== undefined)
      .map(({ step }) => step);
  };
  const falling = Array.from({ length: 30 }, (_, i) => 3 - i * 0.05);
  const rising = Array.from({ length: 30 }, (_, i) => 1.6 + i * 0.4);

  it('speaks once when the loss runs away, and again only after a new low', () => {
    const once = said([...falling, ...rising]);
    expect(once.length).to.equal(1);
    expect(once[0]).to.be.within(35, 50);
    const lower = new Array<number>(80).fill(0.5);
    expect(said([...falling, ...rising, ...lower, ...rising]).length).to.equal(2);
  });

  it('is silent about noise and about the first steps', () => {
    expect(said(falling.map((loss, i) => loss + (i % 2 === 0 ? 0.6 : -0.6)))).to.deep.equal([]);
    expect(said([1, 1, 5, 5, 5])).to.deep.equal([]);
  });

  it('remembers what a resumed training has seen', () => {
    const all = said([...falling, ...rising]);
    expect(said(rising, falling)).to.deep.equal(all);
    expect(said(rising.slice(20), [...falling, ...rising.slice(0, 20)])).to.deep.equal([]);
  });

  const divergesAt = (records: readonly { loss: number; gradNorm?: number }[]): number | undefined => {
    const watch = lossWatch([]);
    const at = records.findIndex(
      (record, i) => watch.look({ ...record, step: i + 1 }).divergence !== undefined,
    );
    return at < 0 ? undefined : at + 1;
  };
  const losses = (...values: number[]): { loss: number }[] => values.map((loss) => ({ loss }));

  it('tells a divergence from a spike and from a loss that merely rises', () => {
    expect(divergesAt(losses(...falling, ...rising))).to.be.within(36, 50);
    expect(divergesAt(losses(...falling, 9, 9, 9, ...falling))).to.equal(undefined);
    expect(divergesAt(losses(...falling, ...new Array<number>(40).fill(2.4)))).to.equal(undefined);
  });

  it('knows a model that has forgotten all, where no loss can rise further', () => {
    const chance = Math.log(4096);
    const flat = [5, 5.1, ...new Array<number>(30).fill(chance)];
    const at = (vocabulary?: number): number => {
      const watch = lossWatch([], vocabulary);
      return flat.findIndex((loss, i) => watch.look({ step: i + 1, loss }).divergence !== undefined);
    };
    expect(at()).to.equal(-1);
    expect(at(4096)).to.be.within(6, 12);
    // as the first steps of a training from scratch
    const scratch = lossWatch([], 4096);
    for (let step = 1; step <= 30; step++)
      expect(scratch.look({ step, loss: chance + (step % 3) / 10 })).to.deep.equal({});
  });

  it('says once that no gradient is left', () => {
    const watch = lossWatch([]);
    const found = Array.from({ length: 20 }, (_, i) =>
      watch.look({ step: i + 1, loss: i < 2 ? 5 : 8.3, gradNorm: i < 2 ? 1 : 0 }),
    );
    expect(found.filter(({ warning }) => warning !== undefined)).to.have.length(1);
    expect(found.at(-1)?.divergence).to.include('no gradient is left');
  });

  it('does not wait where one loss is absurd', () => {
    expect(divergesAt(losses(4.6, 64.2, 181_928))).to.equal(2);
    expect(divergesAt(losses(0.001, 5, 0.001))).to.equal(undefined);
  });

  it('sees a model that says the same whatever it reads', () => {
    const collapsed = { loss: 8.32, gradNorm: 0 };
    const before = [5.24, 7.48, 13.23].map((loss) => ({ loss, gradNorm: 2 }));
    expect(divergesAt([...before, collapsed, collapsed, collapsed, collapsed])).to.equal(6);
    const learnt = Array.from({ length: 20 }, () => ({ loss: 0, gradNorm: 0 }));
    expect(divergesAt([...before, ...learnt])).to.equal(undefined);
  });

  it('sees gradients that grow a hundredfold while the loss rises', () => {
    const calm = falling.map((loss) => ({ loss, gradNorm: 1 }));
    const wild = Array.from({ length: 8 }, (_, i) => ({ loss: 3.2, gradNorm: 50 * (i + 1) }));
    expect(divergesAt([...calm, ...wild])).to.be.within(36, 38);
    expect(divergesAt([...calm, ...wild.map(({ gradNorm }) => ({ loss: 1.5, gradNorm }))])).to.equal(
      undefined,
    );
  });

  it('knows the last good step, half a window before the loss rose', () => {
    const watch = lossWatch([]);
    for (const [i, loss] of [...falling, ...rising].entries()) watch.look({ step: i + 1, loss });
    expect(watch.good()).to.be.within(25, 31);
    expect(lossWatch([]).good()).to.equal(0);
  });
});

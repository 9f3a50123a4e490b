import { expect } from 'chai';
import { stepText } from '../../../../src/tools/cli/progress/steps.js';

describe('a step of an installation', () => {
  const step = {
    what: 'fetching tensorflow_cpu-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl',
    total: 2 ** 28,
  };

  it('is a line with what there is to come, then with what has come', () => {
    expect(stepText({ ...step, done: 0 })).to.equal(`${step.what}, 256 MiB`);
    expect(stepText({ ...step, done: 2 ** 26 })).to.equal(`${step.what}: 64.0 MiB of 256 MiB, 25 %`);
    expect(stepText({ what: 'trying it' })).to.equal('trying it');
  });

  it('is no longer than the terminal is wide, and keeps its figures', () => {
    const cut = stepText({ ...step, done: 2 ** 26 }, 48);
    expect(cut)
      .to.match(/^fetching tensorflow_.*…: 64\.0 MiB of 256 MiB, 25 %$/)
      .and.to.have.lengthOf(48);
    for (const width of [30, 48, 79])
      expect(stepText({ ...step, done: 2 ** 26 }, width).length).to.be.at.most(width);
    expect(stepText({ what: 'trying it' }, 79)).to.equal('trying it');
  });
});

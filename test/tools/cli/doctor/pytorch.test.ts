import { expect } from 'chai';
import { type PyTorchFacts, pytorchFinding } from '../../../../src/tools/cli/doctor/pytorch.js';
import { worstOf } from '../../../../src/tools/cli/doctor/trial.js';

const GIB = 2 ** 30;
const FACTS: PyTorchFacts = {
  torch: '2.15.0+cu132',
  cuda: '13.2',
  gpus: [{ name: 'NVIDIA L4', capability: '8.9', memory: 22 * GIB, free: 20 * GIB }],
  unusable: null,
  nccl: '2.30.7',
  flash_attn: '2.8.3',
  deepspeed: null,
  bitsandbytes: null,
};
const BLIND = { ...FACTS, gpus: [], nccl: null, unusable: 'the driver is too old' };

describe('what doctor says of PyTorch', () => {
  it('is what it was built for, each GPU, and what else is there', () => {
    expect(pytorchFinding(FACTS, true)).to.deep.equal({
      name: 'pytorch',
      state: 'ok',
      detail:
        '2.15.0+cu132, built for CUDA 13.2, NCCL 2.30.7; GPU 0: NVIDIA L4 (8.9), 22.0 GiB, of which 20.0 GiB are free; flash attention 2.8.3, bitsandbytes quantises as it should, no DeepSpeed',
    });
  });

  it('is a warning where a driver is loaded and no GPU is found', () => {
    const { state, help } = pytorchFinding(BLIND, true);
    expect(state).to.equal('warning');
    expect(help).to.contain('(the driver is too old)').and.contain('CUDA 13.2');
    expect(pytorchFinding(BLIND, false).state, 'a machine without one').to.equal('ok');
    const forCpu = pytorchFinding({ ...BLIND, torch: '2.15.0+cpu', cuda: null }, true);
    expect(forCpu.help).to.contain('built for the CPU');
  });

  it('is a warning where bitsandbytes does not work', () => {
    const { state, help } = pytorchFinding({ ...FACTS, bitsandbytes: 'weights are off by 3.10' }, true);
    expect(state).to.equal('warning');
    expect(help).to.contain('QLoRA').and.contain('off by 3.10');
  });
});

describe('losses of two engines', () => {
  it('are compared by their largest difference, and one that lacks is not equal', () => {
    expect(worstOf([4, 2], [4, 2.001])).to.be.closeTo(5e-4, 1e-9);
    expect(worstOf([4, 2], [4])).to.satisfy(Number.isNaN);
  });
});

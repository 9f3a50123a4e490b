/** In what format a training multiplies, by what is asked for and what computes. */
import { expect } from 'chai';
import { type AccelerateRun, EMBEDDED } from '../../../../src/language/ir/engines.js';
import { precisionFor, precisionOf, withPrecision } from '../../../../src/pipeline/stages/train/precision.js';
import { type Folder, pipelineFolder, TEXT } from '../../planner/pipeline.js';

const CPU: AccelerateRun = {
  name: 'accelerate',
  version: 'torch 2.15.0',
  versions: { torch: '2.15.0' },
  attention: 'sdpa',
  ...{ device: 'cpu', devices: 1, nodes: 1, sharding: 'auto' },
};
const OLD: AccelerateRun = { ...CPU, device: 'cuda' };
const AMPERE: AccelerateRun = { ...OLD, multipliesBf16: true };

describe('the precision of a training', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  it('is bfloat16 by itself where GPUs multiply it, and float32 elsewhere', () => {
    expect([EMBEDDED, CPU, OLD, AMPERE].map((engine) => precisionFor('auto', engine))).to.deep.equal([
      ...['f32', 'f32', 'f32', 'bf16'],
    ]);
  });

  it('is what is asked for everywhere', () => {
    for (const engine of [EMBEDDED, CPU, OLD, AMPERE])
      for (const asked of ['f32', 'bf16'] as const) expect(precisionFor(asked, engine)).to.equal(asked);
  });

  it('is settled in the program, by the planner; the rest of it stays', () => {
    const program = folder.program(TEXT);
    const trained = (engine: typeof EMBEDDED) =>
      withPrecision(program, engine).stages.find(({ name }) => name === 'adapter');
    const written = program.stages.find(({ name }) => name === 'adapter');
    expect(written?.settings['precision']).to.equal('auto');
    expect(trained(CPU)).to.deep.equal({
      ...written,
      settings: { ...written?.settings, precision: 'f32' },
      origins: { ...written?.origins, precision: 'planner' },
    });
    expect(trained(AMPERE)?.settings['precision']).to.equal('bf16');
    expect(withPrecision(withPrecision(program, AMPERE), CPU)).to.deep.equal(withPrecision(program, CPU));
    const asked = folder.program(TEXT.replace('fallback = [', 'precision = f32\n  fallback = ['));
    expect(withPrecision(asked, AMPERE)).to.deep.equal(asked);
  });

  it('is float32 before any engine is decided on', () => {
    expect((['auto', 'f32', 'bf16'] as const).map((precision) => precisionOf({ precision }))).to.deep.equal([
      ...['f32', 'f32', 'bf16'],
    ]);
  });
});

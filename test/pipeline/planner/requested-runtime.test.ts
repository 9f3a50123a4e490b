import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';

import type { Program } from '../../../src/language/ir/program.js';
import { askedDeviceMemory, askedRuntime } from '../../../src/pipeline/planner/budget.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { savedProgram } from '../../../src/pipeline/planner/saved/make.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/valid');

const compiled = (text: string) => {
  const host = overlayHost(folder, { 'asked.ftp': `edition 2026\n${text}\n` });
  return { host, ...compile(host, 'asked.ftp') };
};
const asks = (text: string) => {
  const { program, diagnostics } = compiled(text);
  expect(diagnostics.map(({ message }) => message)).to.deep.equal([]);
  return program;
};
const codes = (text: string) => compiled(text).diagnostics.map(({ code }) => code);

describe('the runtime of a pipeline', () => {
  const tensorflow = 'budget machine { runtime = tensorflow, require peak_memory <= 8GiB }';

  it('takes precedence over auto, and the command line over both', () => {
    const program = asks(tensorflow);
    expect(askedRuntime(undefined, program)).to.deep.equal({ choice: 'tensorflow', by: 'pipeline' });
    expect(askedRuntime('wasm', program)).to.deep.equal({ choice: 'wasm', by: 'option' });
    expect(askedRuntime('auto', program)).to.deep.equal({ choice: 'auto', by: 'auto' });
    expect(askedRuntime(undefined, undefined)).to.deep.equal({ choice: 'auto', by: 'auto' });
    const open = asks('budget machine { require peak_memory <= 8GiB }');
    expect(askedRuntime(undefined, open)).to.deep.equal({ choice: 'auto', by: 'auto' });
  });

  it('is compared in bfloat16 where a training rounds to it', () => {
    const training = (precision: string) =>
      ({ stages: [{ settings: { precision } }], budgets: [] }) as unknown as Program;
    expect(askedRuntime(undefined, training('bf16'))).to.deep.equal({
      ...{ choice: 'auto', by: 'auto', precision: 'bf16' },
    });
    expect(askedRuntime('auto', training('f32'))).not.to.have.property('precision');
  });

  it('comes from a preset too, which the budget may replace', () => {
    const preset = 'preset on_card for budget { runtime = tensorflow, require peak_memory <= 24GiB }\n';
    const applied = asks(`${preset}budget machine using on_card {}`);
    expect(askedRuntime(undefined, applied).choice).to.equal('tensorflow');
    const replaced = asks(`${preset}budget machine using on_card { runtime = onnx }`);
    expect(askedRuntime(undefined, replaced).choice).to.equal('onnx');
  });

  it('is checked like any setting, and is one alone', () => {
    expect(codes('budget machine { runtime = tensorflaw, require peak_memory <= 8GiB }')).to.have.length(1);
    expect(codes('budget machine { runtime = 3, require peak_memory <= 8GiB }')).to.have.length(1);
    const other = (name: string) =>
      `${tensorflow}\nbudget night { runtime = ${name}, require wall_time <= 8h }`;
    expect(codes(other('onnx'))).to.deep.equal(['FTP0920']);
    expect(codes(other('tensorflow'))).to.deep.equal([]);
  });

  it('is in the plan with who set it, and in what a saved plan compares', async () => {
    const { host } = compiled(tensorflow);
    const program = asks(tensorflow);
    if (program === undefined) throw new Error('no program');
    const made = await plan(program, host);
    expect(made.runtime).to.match(/^tensorflow /);
    expect(made.runtimeSetBy).to.equal('pipeline');
    const asked = await plan(program, host, { runtimeOption: 'onnx' });
    expect(asked.runtime).to.match(/^onnx /);
    expect(asked.runtimeSetBy).to.equal('option');
    expect(savedProgram(program).budgets['machine']).to.deep.equal([
      'runtime = "tensorflow"',
      'peak_memory <= 8GiB',
    ]);
  });
});

describe('the memory that a pipeline lets tensors take', () => {
  const GIB = 2 ** 30;
  const machine = 'budget machine { device_memory = 6GiB, require peak_memory <= 8GiB }';

  it('comes from a budget, or from its preset', () => {
    expect(askedDeviceMemory(asks(machine))).to.equal(6 * GIB);
    expect(askedDeviceMemory(asks('budget machine { require peak_memory <= 8GiB }'))).to.equal(undefined);
    expect(askedDeviceMemory(undefined)).to.equal(undefined);
    const preset = 'preset on_card for budget { device_memory = 20GiB }\n';
    expect(askedDeviceMemory(asks(`${preset}budget machine using on_card {}`))).to.equal(20 * GIB);
  });

  it('is one size, and that of a runtime that counts', () => {
    const other = (size: string) => `${machine}\nbudget night { device_memory = ${size} }`;
    expect(codes(other('4GiB'))).to.deep.equal(['FTP0922']);
    expect(codes(other('6144MiB'))).to.deep.equal([]);
    const on = (runtime: string) => codes(`${machine}\nbudget night { runtime = ${runtime} }`);
    expect(on('onnx')).to.deep.equal(['FTP0432']);
    expect(on('cpu')).to.deep.equal(['FTP0432']);
    for (const runtime of ['auto', 'tensorflow', 'webgpu', 'wasm']) expect(on(runtime)).to.deep.equal([]);
  });

  it('caps a card of the catalogue', async () => {
    const { host } = compiled(machine);
    const program = asks(machine);
    if (program === undefined) throw new Error('no program');
    const available = async (name: string) =>
      (await plan(program, host, { machine: name })).machine.availableBytes;
    expect(await available('rtx3090')).to.equal(6 * GIB);
    expect(await available('cpu-8gib')).to.be.above(7 * GIB);
  });
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectSchema } from '../insight/schemas.js';
import { freshFolder, ftpc } from './folders.js';

const CLEAN = 'edition 2026\n\nbudget all {\n  require peak_memory <= 8GiB\n}\n';
const MODULE = 'edition 2026\n\npreset short for train {\n  stop = { epochz: 1 }\n}\n';
const IMPORTS = 'edition 2026\n\nimport { short } from "./module.ftp"\n';

const ON_ACCELERATE = `edition 2026

import { jsonl } from "std/data"
import { alpaca } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}
format dialogs {
  from = rows
  template = alpaca()
}
train adapter {
  base = local("model")
  dataset = dialogs.train
  optimizer = adamw(rate: 1e-4)
}
budget machine {
  engine = accelerate
}
`;

describe('a check of several files', () => {
  const folder = freshFolder();
  const check = (...args: readonly string[]) => ftpc(folder, ['check', ...args], { NO_COLOR: '1' });
  const json = async (...args: readonly string[]) => JSON.parse((await check(...args, '--json')).out);
  before(() => {
    mkdirSync(join(folder, 'good/below'), { recursive: true });
    mkdirSync(join(folder, 'bad'));
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'good/a.ftp'), CLEAN);
    writeFileSync(join(folder, 'good/below/b.ftp'), CLEAN);
    writeFileSync(join(folder, 'bad/module.ftp'), MODULE);
    for (const name of ['one', 'two']) writeFileSync(join(folder, `bad/${name}.ftp`), IMPORTS);
  });

  it('of a folder takes every .ftp below it, and ends with one line', async () => {
    expect(await check('good')).to.deep.equal({ code: 0, out: '', err: 'ok: 2 files\n' });
    const { code, err } = await check('.');
    expect(code).to.equal(1);
    expect(err)
      .to.match(/\n1 error.* in 1 of 5 files\n$/)
      .and.not.contain('ok:');
  });

  it('says once what is wrong in a module, and names what is not there', async () => {
    expect(
      (await json('bad')).diagnostics.filter(({ code }: { code: string }) => code === 'FTP0213'),
    ).to.have.length(1);
    const { code, err } = await check('good/a.ftp', 'nowhere.ftp', 'empty');
    expect(code).to.equal(1);
    expect(err)
      .to.contain('nowhere.ftp')
      .and.contain('FTP1103')
      .and.match(/\n2 errors\n$/);
    expect(await json('good')).to.deep.equal({ version: 1, valid: true, diagnostics: [] });
  });

  it('has parameters of one file alone', async () => {
    const { code, err } = await check('good', '-p', 'smoke=true');
    expect(code).to.equal(1);
    expect(err).to.contain('`-p` sets parameters of one pipeline, and 2 files were named');
  });

  it('makes corrections in all of them, in a module once', async () => {
    const shown = await check('.', '--fix-all', '--diff');
    expect(shown.out.match(/^\+\+\+ b\/bad\/module.ftp/gm)).to.have.length(1);
    const { err } = await check('.', '--fix-all');
    expect(err.match(/^fixed FTP0213/gm)).to.have.length(1);
    expect(readFileSync(join(folder, 'bad/module.ftp'), 'utf8')).to.equal(MODULE.replace('epochz', 'epochs'));
    expect((await check('.', '--fix')).err).to.match(/nothing to fix automatically\nok: 5 files\n$/);
  });

  it('says which engine computes with a base that the default one has no graph for', async () => {
    mkdirSync(join(folder, 'engine/model'), { recursive: true });
    const sizes = {
      vocab_size: 64,
      hidden_size: 8,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 2,
    };
    const config = {
      model_type: 'mixtral',
      architectures: ['MixtralForCausalLM'],
      num_local_experts: 2,
      ...sizes,
    };
    writeFileSync(join(folder, 'engine/model/config.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'engine/rows.jsonl'), '{"instruction":"Why?","output":"So."}\n');
    writeFileSync(join(folder, 'engine/p.ftp'), ON_ACCELERATE);
    const { code, err } = await check('engine/p.ftp');
    expect(code, err).to.equal(0);
    expect(err).to.contain(
      '\nadapter.base is of the architecture mixtral: the accelerate engine computes it\n',
    );
    const found = await json('engine/p.ftp');
    expectSchema('check', found);
    const [model] = found.models;
    expect(model).to.include({
      stage: 'adapter',
      setting: 'base',
      architecture: 'mixtral',
      engine: 'accelerate',
    });
    expect(model).to.deep.include({ engines: ['accelerate'], file: 'engine/p.ftp', line: 14, column: 10 });
  });
});

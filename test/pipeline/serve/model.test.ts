import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { type ServedModel, startModel } from '../../../src/pipeline/serve/model.js';
import type { ModelProcess } from '../../../src/pipeline/serve/model-process.js';
import { NoModelError } from '../../../src/pipeline/serve/router.js';
import { fakeModel, saying } from '../../helpers/served-model.js';
import { until } from '../../helpers/until.js';

interface FakeProcess extends ModelProcess {
  end(): void;
}

const gone = new UserError({ code: 'FTP2041', severity: 'error', message: 'gone' });

function fakeProcess(pid: number): FakeProcess {
  let end = (): void => {};
  const ended = new Promise<UserError>((resolve) => {
    end = () => resolve(gone);
  });
  return { ...fakeModel(saying(String(pid))), pid, ended, end, close: async () => end() };
}

async function textOf(model: ServedModel): Promise<string> {
  let text = '';
  const request = { prompt: { text: '' }, draw: {}, stop: [] };
  for await (const piece of model.complete(request, new AbortController().signal))
    if (piece.type === 'text') text += piece.text;
  return text;
}

describe('a model that is served', () => {
  const said: string[] = [];
  const reports = {
    warning: () => {},
    crashed: ({ code }: { readonly code: string }, seconds: number) => void said.push(`${code} ${seconds}`),
    restarted: () => void said.push('restarted'),
  };
  beforeEach(() => {
    said.length = 0;
  });

  it('is started again when its process ends, after a pause that grows, and says meanwhile that it is not there', async () => {
    const opened: FakeProcess[] = [];
    let fails = 1;
    const open = async (): Promise<ModelProcess> => {
      if (opened.length === 1 && fails-- > 0) throw gone;
      const process = fakeProcess(opened.length + 1);
      opened.push(process);
      return process;
    };
    const model = await startModel({ folder: '/m', cwd: '/' }, reports, undefined, open);
    expect([await textOf(model), model.up]).to.deep.equal(['1', true]);
    opened[0]?.end();
    await until(() => !model.up);
    expect(() =>
      model.complete({ prompt: { text: '' }, draw: {}, stop: [] }, new AbortController().signal),
    ).to.throw(NoModelError);
    await until(() => model.up);
    expect(await textOf(model)).to.equal('2');
    expect(said).to.deep.equal(['FTP2041 0.5', 'FTP2041 1', 'restarted']);
    await model.close();
    expect([opened.length, said.length]).to.deep.equal([2, 3]);
  });

  it('is not started again once it is closed', async () => {
    const process = fakeProcess(1);
    let opened = 0;
    const model = await startModel({ folder: '/m', cwd: '/' }, reports, undefined, async () => {
      opened++;
      return process;
    });
    process.end();
    await until(() => !model.up);
    await model.close();
    expect([opened, said]).to.deep.equal([1, ['FTP2041 0.5']]);
  });
});

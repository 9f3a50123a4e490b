import { expect } from 'chai';
import { renderReport } from '../../../../src/tools/insight/report/report.js';
import { example, HOSTILE } from './example.js';

describe('HTML report', () => {
  const page = renderReport(example);

  it('is self-contained: no script, nothing from elsewhere', () => {
    expect(page).to.match(/^<!doctype html>/);
    expect(page).to.not.match(/<script|<link|<img|@import|url\(|https?:/);
  });

  it('escapes whatever comes from data, models and messages', () => {
    expect(page).to.not.contain(HOSTILE);
    expect(page.match(/&lt;\/pre&gt;&lt;script&gt;alert\(&quot;1&quot;\)/g)).to.have.lengthOf(4);
  });

  it('has every section with its figures', () => {
    for (const text of [
      'gate failed',
      '812 of 838 rows kept',
      'pipelines/data/legal/mit.jsonl:12',
      'Loss',
      'Learning rate',
      'Gradient norm before clipping',
      '2.2 – 2.66',
      'Recovered from no memory for step 12',
      'licence licence licence',
      'adapter_model.safetensors',
      '190 rows with 49 to 64 tokens',
      '1 done, 1 open, 0 waiting for a run, 0 that cannot be known from here',
      'legal.ftp:36:3: <code>validate = dialogs.valid</code>',
    ])
      expect(page, text).to.contain(text);
    // 410 planned for 402 measured
    expect(page).to.contain('>1.02<');
  });

  it('draws every step, and the value of each when hovered over', () => {
    expect(page.match(/<title>training: /g)).to.have.lengthOf(120);
    expect(page.match(/<title>validation: /g)).to.have.lengthOf(4);
    const numbers = [...page.matchAll(/ (?:c?[xy][12]?|width|height)="([^"]*)"/g)].map(([, value]) =>
      Number(value),
    );
    expect(numbers.every(Number.isFinite)).to.equal(true);
  });

  it('shows how several devices shared a training', () => {
    const [curve] = example.curves;
    if (curve === undefined) throw new Error('the example trains');
    const of = (ranks: object) => ({
      ...curve,
      steps: curve.steps.map((step) => ({
        ...step,
        ranks: { count: 2, sharding: 'ddp', memory: [], resident: [], ...ranks },
      })),
    });
    const onCpu = renderReport({ ...example, curves: [of({ resident: [2 ** 30, 2 ** 31] })] });
    expect(onCpu).to.contain('each device').and.contain('Resident memory of each rank');
    expect(onCpu.match(/<title>rank 1: /g)).to.have.lengthOf(120);
    const memory = [{ allocated: 2 ** 30, reserved: 2 ** 31 }];
    const onGpu = renderReport({ ...example, curves: [of({ count: 1, memory })] });
    expect(onGpu).to.contain('Memory of each GPU').and.not.contain('each device');
    const ranks = { device: 'cpu', devices: 2, nodes: 1, sharding: 'auto' } as const;
    const started = example.events.map((event) =>
      event.type === 'run.started'
        ? { ...event, engine: 'accelerate', runtime: 'accelerate torch 2.15.0', ranks }
        : event,
    );
    const text = renderReport({ ...example, events: started }).replace(/<[^>]*>/g, ' ');
    expect(text.replace(/\s+/g, ' ')).to.contain(
      'engine accelerate: 2 ranks on the CPU versions torch 2.15.0',
    );
  });

  it('says what was run: settings as in the file and as they took effect, commit, machine, seeds', () => {
    const text = page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
    for (const part of [
      'lora.rank smoke ? 8 : 16 8 -p smoke (pipelines/legal.ftp:37:18)',
      'batch.micro not set 4 the planner : the stage then needs 410 MiB (at most 422 MiB) of 15.0 GiB',
      'order shuffled',
      'smoke true -p smoke=true Only some of the rows .',
      '0123456789abcdef0123456789abcdef01234567 , with changes',
      'laptop: a processor, 8 cores, 16.0 GiB',
      'onnx 1.30.0, 4 threads',
      'seeds 17 (adapter.seed)',
    ])
      expect(text).to.contain(part);
  });

  it('has no backticks, and 0 for the end of an interval that is 0', () => {
    expect(page.replace(/<pre>[\s\S]*?<\/pre>/g, '')).to.not.contain('`');
    expect(page).to.contain('0% – 5.7%').and.to.not.contain('8.57e-19');
  });

  it('can be read aloud: headings in order, tables and plots with names, titles with scope', () => {
    const levels = [...page.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    expect(levels[0]).to.equal(1);
    levels.forEach((level, index) => {
      expect(level - (levels[index - 1] ?? 0), levels.join(' ')).to.be.at.most(1);
    });
    expect(page.match(/<caption/g)?.length).to.equal(page.match(/<table/g)?.length);
    expect(page).to.not.match(/<th(?![^>]*scope=)[ >]/);
    for (const [svg] of page.matchAll(/<svg[\s\S]*?<\/svg>/g)) {
      expect(svg).to.match(/role="img" aria-label="[^":]+: .+"/);
      expect(svg.match(/<text class="name"/g), 'a label on each axis').to.have.lengthOf(2);
    }
  });

  it('closes what it opens', () => {
    const open: string[] = [];
    for (const [, slash, name = '', rest = ''] of page
      .replace(/<style>[\s\S]*<\/style>/, '')
      .matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/g)) {
      if (['meta', 'br'].includes(name) || rest.endsWith('/')) continue;
      if (slash === '') open.push(name);
      else expect(open.pop()).to.equal(name);
    }
    expect(open).to.deep.equal([]);
  });

  it('says that a run without an end was killed, and shows what there is', () => {
    const killed = renderReport({ ...example, plan: undefined, events: example.events.slice(0, 3) });
    expect(killed).to.contain('killed').and.to.not.contain('NaN').and.to.not.contain('Infinity');
  });
});

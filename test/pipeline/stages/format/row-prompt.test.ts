import { join } from 'node:path';
import { expect } from 'chai';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { openEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { SystemCounts } from '../../../../src/pipeline/stages/format/row-prompt.js';
import { type FormatInfo, readFormatInfo } from '../../../../src/pipeline/stages/format/split-files.js';
import { call, fixtures, host, type Row, settingsOf, stageOf, world } from './format-runner.js';

const model = openModel(host, join(fixtures, 'bytes'));

describe('how rows ask', () => {
  const place = world();
  after(() => place.remove());
  const asked = (system: string | undefined, at: number): Row => ({
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: `q ${at}` },
      { role: 'assistant', content: 'a' },
    ],
  });
  const promptOf = async (rows: readonly Row[], template = call('chat')): Promise<FormatInfo['prompt']> => {
    const { artefact } = await place.format({ train: rows }, { template });
    return readFormatInfo(host, artefact.path).prompt;
  };

  it('is noted by the format stage: the system prompts of the rows, and what ends an answer', async () => {
    const one = await promptOf([asked(undefined, 1), asked('own', 2)], call('chat', { system: ' brief ' }));
    expect(one).to.deep.include({ style: 'chat', template: null, otherRows: 0 });
    expect(one?.systems).to.deep.equal([
      { text: 'brief', rows: 1 },
      { text: 'own', rows: 1 },
    ]);
    expect(one?.stop.length).to.be.above(0);
    const none = await promptOf([asked(undefined, 1), asked(undefined, 2)]);
    expect(none?.systems).to.deep.equal([{ text: null, rows: 2 }]);
  });

  it('is a text to be continued after `completion()`, and unknown of tokens', async () => {
    const text = await promptOf([{ text: 'abc' }], call('completion'));
    expect(text).to.deep.include({ style: 'text', template: 'completion' });
    expect(await promptOf([{ input_ids: [70, 71], labels: [70, 71] }], call('tokens'))).to.equal(undefined);
  });

  it('counts what is trained on, and lists the most frequent', () => {
    const counts = new SystemCounts();
    counts.add('test', 'never');
    for (let row = 0; row < 400; row++) counts.add('train', `s ${row % 300}`);
    const { systems, otherRows } = counts.result();
    expect(systems.map(({ rows }) => rows)).to.deep.equal(Array.from({ length: 8 }, () => 2));
    expect(otherRows).to.equal(400 - 16);
    const held = new SystemCounts();
    held.add('valid', undefined);
    expect(held.result()).to.deep.equal({ systems: [{ text: null, rows: 1 }], otherRows: 0 });
  });

  it("hands on Alpaca's layout as a chat template that writes the same", async () => {
    const encoder = await openEncoder(
      model,
      settingsOf({ template: call('alpaca') }),
      stageOf('format', 'dialogs', {}),
    );
    const outcome = encoder.encode({ instruction: "It's\nq", output: 'a' });
    if (!('kept' in outcome)) throw new Error(outcome.detail);
    const template = compileChatTemplate(encoder.ownTemplate ?? '', {}, 'x');
    const question = { role: 'user', content: "It's\nq" } as const;
    const [row] = outcome.kept;
    const written = template.render([question, { role: 'assistant', content: 'a' }]);
    expect([...encoder.tokenizer.encode(written)]).to.deep.equal([...(row?.ids ?? [])]);
    expect(template.render([question], { addGenerationPrompt: true })).to.contain(outcome.rendered.prompt);
  });

  for (const input of [undefined, 'a text'])
    it(`asks as rows of Alpaca with a preamble ask, ${input === undefined ? 'without' : 'with'} an input`, async () => {
      const template = { call: 'alpaca', args: { preamble: true } };
      const encoder = await openEncoder(model, settingsOf({ template }), stageOf('format', 'dialogs', {}));
      const outcome = encoder.encode({
        instruction: 'q',
        ...(input === undefined ? {} : { input }),
        output: 'a',
      });
      if (!('kept' in outcome)) throw new Error(outcome.detail);
      const content = input === undefined ? 'q' : `q\n\n### Input:\n${input}`;
      const own = compileChatTemplate(encoder.ownTemplate ?? '', {}, 'x');
      const { prompt } = outcome.rendered;
      expect(prompt).to.match(/^Below is an instruction/);
      const ids = (text: string) => [...encoder.tokenizer.encode(text)];
      const asked = own.render([{ role: 'user', content }], { addGenerationPrompt: true });
      expect(asked.endsWith(prompt)).to.equal(true);
      const [row] = outcome.kept;
      const whole = own.render([
        { role: 'user', content },
        { role: 'assistant', content: 'a' },
      ]);
      expect(ids(whole)).to.deep.equal([...(row?.ids ?? [])]);
    });
});

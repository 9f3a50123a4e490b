import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openModel } from '../../../../src/compute/models/load.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import { openEncoder, type RowEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { openSplit } from '../../../../src/pipeline/stages/format/split-files.js';
import { surveyLengths } from '../../../../src/pipeline/stages/format/survey.js';
import { call, fixtures, host, type Row, settingsOf, stageOf, world } from './format-runner.js';

const model = openModel(host, join(fixtures, 'bytes'));
const open = (template: string, changes: Partial<FormatSettings> = {}): Promise<RowEncoder> =>
  openEncoder(model, settingsOf({ template: call(template), ...changes }), stageOf('format', 'dialogs', {}));

function kept(encoder: RowEncoder, row: Row) {
  const outcome = encoder.encode(row);
  if ('reason' in outcome) return `${outcome.reason}: ${outcome.detail}`;
  return outcome.kept.map(({ ids, labels, ...rest }) => ({ ids: [...ids], labels: [...labels], ...rest }));
}

describe('ShareGPT', () => {
  const conversations = [
    { from: 'human', value: 'q' },
    { from: 'gpt', value: 'a' },
    { from: 'user', value: 'r' },
    { from: 'assistant', value: 'b' },
  ];
  const messages = ['q', 'a', 'r', 'b'].map((content, turn) => ({
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content,
  }));

  it('is the same chat as `messages`', async () => {
    const [own, chat] = [await open('sharegpt'), await open('chat')];
    expect(kept(own, { conversations })).to.deep.equal(kept(chat, { messages }));
    expect(kept(own, { conversations })).to.be.an('array').with.length(1);
    expect(kept(own, { system: 's', conversations })).to.deep.equal(
      kept(chat, { messages: [{ role: 'system', content: 's' }, ...messages] }),
    );
    expect(kept(own, { conversations: [{ from: 'system', value: 's' }, ...conversations] })).to.deep.equal(
      kept(own, { system: 's', conversations }),
    );
    const told = await open('sharegpt', { template: call('sharegpt', { system: 's' }) });
    expect(kept(told, { conversations })).to.deep.equal(kept(own, { system: 's', conversations }));
  });

  it('supervises calls of tools, and not what they answer', async () => {
    const encoder = await open('sharegpt', {
      template: call('sharegpt', {
        style: {
          file: 'x.jinja',
          sha256: '',
          text: '{% for m in messages %}[{{ m.role }}]{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}',
        },
      }),
    });
    const outcome = encoder.encode({
      conversations: [
        { from: 'human', value: 'q' },
        { from: 'function_call', value: 'f()' },
        { from: 'observation', value: '3' },
        { from: 'gpt', value: 'three' },
      ],
    });
    if ('reason' in outcome) throw new Error(outcome.detail);
    const { text, answers } = outcome.rendered;
    expect(text).to.contain('[tool]3<|im_end|>');
    expect(answers.map(({ start, end }) => text.slice(start, end))).to.deep.equal([
      'f()<|im_end|>',
      'three<|im_end|>',
    ]);
  });

  const refused: readonly (readonly [Row, RegExp])[] = [
    [{ messages }, /^missing_column: no column `conversations`/],
    [{ conversations: 'q' }, /^wrong_type: \/conversations is a string/],
    [{ conversations: [] }, /^empty/],
    [{ conversations: [null] }, /^wrong_type: \/conversations\/0 is null/],
    [
      { conversations: [{ from: 'narrator', value: 'x' }] },
      /^wrong_type: \/conversations\/0\/from is "narrator", must be one of system, human/,
    ],
    [{ conversations: [{ role: 'user', content: 'x' }] }, /\/from is null/],
    [{ conversations: [{ from: 'toString', value: 'x' }] }, /\/from is "toString"/],
    [
      { conversations: [conversations[0], { from: 'gpt', value: 1 }] },
      /^wrong_type: \/conversations\/1\/value is a number/,
    ],
    [{ conversations: [conversations[0], { from: 'gpt', value: ' ' }] }, /^empty: \/conversations\/1\/value/],
    [{ conversations: [conversations[0]] }, /^no_supervised_token/],
  ];
  for (const [row, expected] of refused)
    it(`${JSON.stringify(row)} is told`, async () => {
      expect(kept(await open('sharegpt'), row)).to.match(expected);
    });
});

describe('rows that are tokens already', () => {
  const labels = [-100, -100, 7, 8, -100, 9];
  const ids = [5, 6, 7, 8, 2, 9];

  it('are taken as they are', async () => {
    const encoder = await open('tokens');
    expect(kept(encoder, { input_ids: ids, labels })).to.deep.equal([
      { ids, labels, supervised: 3, promptTokens: 5 },
    ]);
    const whole = [{ ids, labels: ids, supervised: 5, promptTokens: 0 }];
    expect(kept(await open('tokens', { loss_on: 'all' }), { input_ids: ids })).to.deep.equal(whole);
    expect(kept(await open('tokens', { loss_on: 'all' }), { input_ids: ids, labels })).to.deep.equal(whole);
    expect(kept(encoder, { input_ids: ids, labels: ids })).to.deep.equal(whole);
  });

  it('lose their padding where a mask names it', async () => {
    const isSeen = [true, true, true, true, false, false];
    for (const mask of [isSeen.map(Number), isSeen])
      expect(kept(await open('tokens'), { input_ids: ids, labels, attention_mask: mask })).to.deep.equal([
        { ids: ids.slice(0, 4), labels: labels.slice(0, 4), supervised: 2, promptTokens: 2 },
      ]);
  });

  it('are cut and split as others are', async () => {
    expect(kept(await open('tokens', { max_length: 4 }), { input_ids: ids, labels })).to.match(
      /^too_long: 6 tokens/,
    );
    expect(
      kept(await open('tokens', { max_length: 4, overflow: 'truncate' }), { input_ids: ids, labels }),
    ).to.deep.equal([{ ids: ids.slice(0, 4), labels: labels.slice(0, 4), supervised: 2, promptTokens: 0 }]);
  });

  const { vocabSize } = model.config;
  const refused: readonly (readonly [Row, RegExp])[] = [
    [{ labels }, /^missing_column: no column `input_ids`/],
    [{ input_ids: ids }, /^missing_column: no column `labels`; `loss_on = all` needs none/],
    [{ input_ids: 'x', labels }, /^wrong_type: \/input_ids is a string/],
    [{ input_ids: [], labels: [] }, /^empty/],
    [{ input_ids: [1, -1], labels: [1, 1] }, /^wrong_type: \/input_ids\/1 is -1, must be an id$/],
    [{ input_ids: [1, 2.5], labels: [1, 1] }, /\/input_ids\/1 is 2\.5/],
    [{ input_ids: [1, '2'], labels: [1, 1] }, /\/input_ids\/1 is a string/],
    [{ input_ids: [1, 2 ** 31], labels: [1, 1] }, /\/input_ids\/1 is 2147483648/],
    [
      { input_ids: [1, vocabSize], labels: [1, 1] },
      /^wrong_type: \/input_ids\/1 is \d+, but the model has only \d+ tokens/,
    ],
    [{ input_ids: [1, 2], labels: [1, vocabSize] }, /\/labels\/1 is \d+, but the model has only/],
    [{ input_ids: [1, 2], labels: [1, -1] }, /\/labels\/1 is -1, must be an id or -100/],
    [{ input_ids: [1, 2], labels: [1] }, /^wrong_type: \/labels has 1 values, and \/input_ids has 2/],
    [{ input_ids: [1, 2], labels: [-100, -100] }, /^no_supervised_token/],
    [{ input_ids: [1, 2], labels: [2, -100] }, /^no_supervised_token/],
    [
      { input_ids: ids, labels, attention_mask: [0, 1, 1, 1, 1, 1] },
      /^wrong_type: \/attention_mask\/0 masks a token that other tokens follow/,
    ],
    [
      { input_ids: ids, labels, attention_mask: [1, 1, 0, 1, 1, 1] },
      /^wrong_type: \/attention_mask\/2 masks a token that other tokens follow/,
    ],
    [
      { input_ids: ids, labels, attention_mask: [1, 1, 2, 1, 1, 0] },
      /^wrong_type: \/attention_mask\/2 is 2, must be 0 or 1/,
    ],
    [
      { input_ids: ids, labels, attention_mask: [1, 1, '1', 1, 1, 0] },
      /^wrong_type: \/attention_mask\/2 is a string, must be 0 or 1/,
    ],
    [{ input_ids: ids, labels, attention_mask: [0, 0, 0, 0, 0, 0] }, /^no_supervised_token/],
    [{ input_ids: ids, labels, attention_mask: [1] }, /^wrong_type: \/attention_mask must be a list as long/],
    [
      { input_ids: ids, labels, position_ids: [0, 1, 2, 0, 1, 2] },
      /^wrong_type: \/position_ids do not count from 0/,
    ],
  ];
  for (const [row, expected] of refused)
    it(`${JSON.stringify(row)} is told`, async () => {
      expect(kept(await open('tokens'), row)).to.match(expected);
    });
});

describe('rows of another form than the stage reads', () => {
  const place = world();
  after(() => place.remove());

  it('go through as tokens, with the text that evaluations ask for', async () => {
    const tokenizer = await model.tokenizer();
    const question = [...tokenizer.encode('What? ')];
    const answer = [...tokenizer.encode('That.')];
    const row = { input_ids: [...question, ...answer], labels: [...question.map(() => -100), ...answer] };
    const { artefact } = await place.format({ train: [row] }, { template: call('tokens') });
    const split = openSplit(host, artefact.path, 'train');
    expect([...split.texts()]).to.deep.equal([
      { prompt: 'What? ', answer: 'That.', file: 'rows.jsonl', line: 1 },
    ]);
    expect(split.countsOf(0)).to.deep.equal({ prompt: question.length, supervised: answer.length });
  });

  it('are an error of the plan where none can be used', async () => {
    writeFileSync(join(place.folder, 'n.jsonl'), '{"frage":"q","output":"a"}\n\n{"frage":"r"}\nno json\n');
    const source = call('jsonl', { files: 'n.jsonl' });
    const failed = await surveyLengths(
      {
        folder: place.folder,
        stages: [stageOf('data', 'rows', { source, dedupe: [], contradictions: 'warn' })],
      },
      host,
      stageOf('format', 'dialogs', settingsOf()),
    ).catch((error: unknown) => error);
    if (!(failed instanceof UserError)) throw failed;
    const { code, notes, help } = failed.diagnostic;
    expect(code).to.equal('FTP0622');
    expect(notes?.[0]).to.equal('its sources have 3 rows');
    expect(notes?.[1]).to.match(/^2 without a column, first .*n\.jsonl:1: no column `instruction`/);
    expect(notes?.[2]).to.match(/^1 malformed, first .*n\.jsonl:4: not JSON/);
    expect(help).to.match(/columns:/);
  });
});

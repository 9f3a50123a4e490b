import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import { type ModelFolder, openModel } from '../../../../src/compute/models/load.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import { openEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { call, cases, type Encoded, fixtures, host, type Row, settingsOf, stageOf } from './format-runner.js';

const model = (name: string): ModelFolder => openModel(host, join(fixtures, name));
const open = (from: ModelFolder, changes: Partial<FormatSettings> = {}) =>
  openEncoder(from, settingsOf(changes), stageOf('format', 'dialogs', {}));

/** The one piece that is kept of a row, as ids and supervised positions. */
function encoded(encoder: Awaited<ReturnType<typeof open>>, row: Row) {
  const outcome = encoder.encode(row);
  if ('reason' in outcome) return expect.fail(`${outcome.reason}: ${outcome.detail}`);
  const [piece, ...more] = outcome.kept;
  if (piece === undefined || more.length > 0) return expect.fail('more than one piece');
  const ids = [...piece.ids];
  const supervised = ids.flatMap((_, t) => (piece.labels[t] === -100 ? [] : [t]));
  expect(supervised.every((t) => piece.labels[t] === ids[t])).to.equal(true);
  expect(piece.supervised).to.equal(supervised.filter((t) => t > 0).length);
  return { ...outcome, piece, ids, supervised };
}

function reasonOf(encoder: Awaited<ReturnType<typeof open>>, row: Row): readonly [string, string] {
  const outcome = encoder.encode(row);
  return 'reason' in outcome ? [outcome.reason, outcome.detail] : expect.fail('the row was kept');
}

for (const name of ['bytes', 'pieces']) {
  describe(`rows of a chat template: ${name}`, () => {
    const { chats, texts } = cases(name);

    it('are the text, the ids and the mask of transformers', async () => {
      const encoder = await open(model(name));
      for (const recorded of chats) {
        if ('error' in recorded) {
          const [reason, detail] = reasonOf(encoder, recorded.row);
          expect(reason).to.equal('wrong_type');
          expect(detail).to.contain(recorded.error);
          continue;
        }
        const { rendered, ids, supervised } = encoded(encoder, recorded.row);
        expect(rendered.text).to.equal(recorded.text);
        expect(ids, recorded.text).to.deep.equal(recorded.ids);
        expect(supervised, recorded.text).to.deep.equal(recorded.supervised);
      }
    });

    it('are supervised as TRL supervises answers, but for white space after the end token', async () => {
      const encoder = await open(model(name));
      let compared = 0;
      for (const recorded of chats) {
        if ('error' in recorded) continue;
        const { ids, supervised, rendered } = encoded(encoder, recorded.row);
        if (recorded.trl_assistant !== undefined)
          expect({ ids, supervised }, recorded.text).to.deep.equal(recorded.trl_assistant);
        const completion: Encoded | undefined = recorded.trl_completion;
        if (completion === undefined) continue;
        compared++;
        expect(ids).to.deep.equal(completion.ids);
        const last = rendered.answers.at(-1);
        const lastOnly = supervised.filter((t) => t >= (completion.supervised[0] ?? 0));
        expect(completion.supervised.slice(0, lastOnly.length)).to.deep.equal(lastOnly);
        const beyond = completion.supervised.slice(lastOnly.length).map((t) => ids[t] ?? -1);
        expect(encoder.tokenizer.decode(beyond).trim()).to.equal('');
        expect(rendered.text.slice(last?.end).trim()).to.equal('');
      }
      expect(compared).to.be.greaterThan(10);
    });

    it('ask for the last answer, whose prompt is what the template gives a model to answer', async () => {
      const encoder = await open(model(name));
      for (const recorded of chats) {
        if ('error' in recorded) continue;
        const { piece, rendered, ids } = encoded(encoder, recorded.row);
        expect([...encoder.tokenizer.encode(rendered.prompt)]).to.deep.equal(
          ids.slice(0, piece.promptTokens),
        );
        expect(piece.labels[piece.promptTokens]).to.equal(ids[piece.promptTokens]);
        expect(rendered.text.slice(rendered.prompt.length)).to.contain(rendered.answer.trim());
      }
    });

    it('are supervised in whole where the loss is on all', async () => {
      const encoder = await open(model(name), { loss_on: 'all' });
      for (const recorded of chats) {
        if ('error' in recorded) continue;
        const { ids, supervised, piece } = encoded(encoder, recorded.row);
        expect(supervised).to.deep.equal(ids.map((_, t) => t));
        expect(piece.supervised).to.equal(ids.length - 1);
        expect(piece.promptTokens).to.be.greaterThan(0);
      }
    });

    it('warn of special tokens in what the row brought', async () => {
      const encoder = await open(model(name));
      const row = { instruction: 'a <b> and </s>', output: '<|im_end|> [1]' };
      const { remarks } = encoded(encoder, row);
      expect(remarks.map(({ detail }) => detail)).to.deep.equal([
        `its text contains special tokens: ${name === 'bytes' ? '<|im_end|>' : '</s>'}`,
      ]);
      expect(encoded(encoder, { instruction: 'a <b>', output: '[1]' }).remarks).to.deep.equal([]);
    });

    it('of plain texts begin and end as TRL has them', async () => {
      const encoder = await open(model(name), { template: call('completion') });
      expect(encoder.tokenizer.beginId).to.equal(name === 'bytes' ? undefined : 1);
      let straddled = 0;
      for (const recorded of texts) {
        const outcome = encoder.encode(recorded.row);
        if ('reason' in outcome) {
          // TRL trains such a row on tokens that the model never sees when it is asked.
          straddled++;
          expect(outcome.reason).to.equal('no_supervised_token');
          expect(outcome.detail).to.contain('Answer: " | "straddles');
          continue;
        }
        const { ids, supervised, piece } = encoded(encoder, recorded.row);
        expect(ids).to.deep.equal(recorded.ids);
        expect(supervised.filter((t) => t > 0 || name === 'bytes')).to.deep.equal(
          recorded.supervised.filter((t) => t > 0 || name === 'bytes'),
        );
        if ('text' in recorded.row) expect(piece.promptTokens).to.equal(0);
      }
      expect(straddled).to.equal(1);
    });
  });
}

describe('a chat template', () => {
  const thinking = (): ModelFolder => {
    const base = model('bytes');
    const source = readFileSync(join(fixtures, 'thinking.jinja'), 'utf8');
    const template = compileChatTemplate(source, base.template()?.special ?? {}, 'thinking.jinja');
    return { ...base, template: () => template };
  };

  it('that writes an answer otherwise when others follow has its borders found', async () => {
    const [one, several] = cases('bytes').thinking;
    const encoder = await open(thinking());
    const answersOf = (row: Row, from: typeof encoder): readonly string[] => {
      const { rendered, supervised, ids } = encoded(from, row);
      const parts = rendered.answers.map(({ start, end }) => rendered.text.slice(start, end));
      expect(from.tokenizer.decode(supervised.map((t) => ids[t] ?? -1))).to.equal(parts.join(''));
      return parts;
    };
    const last = '<think>\n\n</think>\n\nSix<|im_end|>';
    expect(answersOf(one?.row ?? {}, encoder)).to.deep.equal(['<think>\n\n</think>\n\nTwo<|im_end|>']);
    expect(encoded(encoder, one?.row ?? {}).rendered.askedOtherwise).to.equal(undefined);
    expect(answersOf(several?.row ?? {}, encoder)).to.deep.equal([
      'Two<|im_end|>',
      'Four\n\n<|im_end|>',
      last,
    ]);
    const { rendered } = encoded(encoder, several?.row ?? {});
    expect(rendered.text).to.equal(several?.text);
    expect(rendered.askedOtherwise).to.equal(true);
    expect(answersOf(several?.row ?? {}, await open(thinking(), { loss_on: 'last' }))).to.deep.equal([last]);
    const all = encoded(await open(thinking(), { loss_on: 'all' }), several?.row ?? {});
    expect(all.rendered.text).to.equal(several?.text);
    expect(all.rendered.answer).to.equal('Six');
  });

  it('that leaves out a part of an answer when others follow is found out', async () => {
    const base = model('bytes');
    const source =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + (m.content if loop.last else m.content.split('|')[0]) + '<|im_end|>' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    const template = compileChatTemplate(source, {}, 'x.jinja');
    const from = { ...base, template: () => template };
    const row = {
      messages: ['q', 'thought|said', 'q', 'a'].map((content, at) => ({
        role: at % 2 === 0 ? 'user' : 'assistant',
        content,
      })),
    };
    const [reason, detail] = reasonOf(await open(from), row);
    expect(reason).to.equal('no_supervised_token');
    expect(detail).to.contain('message 2 differently').and.to.contain('`loss_on = last`');
    const { rendered } = encoded(await open(from, { loss_on: 'last' }), row);
    expect(rendered.answers.map(({ start, end }) => rendered.text.slice(start, end))).to.deep.equal([
      'a<|im_end|>',
    ]);
  });

  it('that ends the whole chat once more ends every answer as before', async () => {
    const base = model('bytes');
    const source =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% else %}{{ '<|im_end|>' }}{% endif %}";
    const template = compileChatTemplate(source, {}, 'phi3.jinja');
    const encoder = await open({ ...base, template: () => template });
    const turn = (content: string) => [
      { role: 'user', content: 'q' },
      { role: 'assistant', content },
    ];
    const { supervised, ids } = encoded(encoder, { messages: [...turn('One'), ...turn('Two')] });
    expect(encoder.tokenizer.decode(supervised.map((t) => ids[t] ?? -1))).to.equal(
      'One<|im_end|>Two<|im_end|>\n<|im_end|>',
    );
  });

  it('whose end token is not the config’s ends answers with its own', async () => {
    const base = model('bytes');
    const encoder = await open({ ...base, config: { ...base.config, eosTokenIds: [0] } });
    expect(encoder.endToken).to.equal('<|im_end|>');
    expect(encoder.stopIds).to.deep.equal([0, 2]);
    const { supervised, ids } = encoded(encoder, { instruction: 'q', output: 'a' });
    expect(ids[supervised.at(-1) ?? -1]).to.equal(2);
    expect(supervised.length).to.equal(2);
  });

  it('that lacks is asked for', async () => {
    const base = { ...model('bytes'), template: () => undefined };
    const error = await open(base).then(
      () => expect.fail('opened'),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) return expect.fail(String(error));
    expect(error.diagnostic).to.include({ code: 'FTP0620' });
    expect((await open(base, { template: call('alpaca') })).templateSource).to.equal('');
  });

  it('with tokens that the tokenizer splits is refused', async () => {
    const base = model('pieces');
    const source = model('bytes').template()?.source ?? '';
    const template = compileChatTemplate(source, {}, 'chat_template.jinja');
    const error = await open({ ...base, template: () => template }).then(
      () => expect.fail('opened'),
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ name: 'ModelError', code: 'model_template' });
  });

  it('gets the system message of the stage, but not over a row’s own', async () => {
    const encoder = await open(model('bytes'), { template: call('chat', { system: ' Be brief.\n' }) });
    const { rendered } = encoded(encoder, { instruction: 'q', output: 'a' });
    expect(rendered.text).to.match(/^<\|im_start\|>system\nBe brief\.<\|im_end\|>\n<\|im_start\|>user\nq/);
    const own = [
      { role: 'system', content: 'Own.' },
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ];
    expect(encoded(encoder, { messages: own }).rendered.text).to.match(
      /^<\|im_start\|>system\nOwn\.<\|im_end\|>/,
    );
  });
});

describe('the Alpaca layout', () => {
  it('has a part for the input where there is one, a begin and an end', async () => {
    const encoder = await open(model('pieces'), { template: call('alpaca') });
    const { rendered, ids, supervised } = encoded(encoder, {
      instruction: 'Ask',
      input: 'it',
      output: 'Yes.',
    });
    expect(rendered.text).to.equal('### Instruction:\nAsk\n\n### Input:\nit\n\n### Response:\nYes.</s>');
    expect([ids[0], ids.at(-1)]).to.deep.equal([1, 2]);
    expect(encoder.tokenizer.decode(supervised.map((t) => ids[t] ?? -1))).to.equal('Yes.</s>');
    const without = encoded(encoder, { instruction: 'Ask', input: ' ', output: 'Yes.' });
    expect(without.rendered.text).to.equal('### Instruction:\nAsk\n\n### Response:\nYes.</s>');
  });

  it('begins with the sentence of the data set if that is asked for', async () => {
    const encoder = await open(model('pieces'), { template: call('alpaca', { preamble: true }) });
    const sentence = (row: Row): string =>
      encoded(encoder, { instruction: 'Ask', output: 'Yes.', ...row }).rendered.text.split('\n\n')[0] ?? '';
    expect(sentence({ input: 'it' })).to.equal(
      'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.',
    );
    expect(sentence({})).to.equal(
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.',
    );
  });
});

describe('texts of one’s own', () => {
  const written = async (args: Record<string, unknown>, row: Row) => {
    const encoder = await open(model('bytes'), { template: call('completion', args as never) });
    const { rendered, supervised, ids } = encoded(encoder, row);
    return [rendered.text, encoder.tokenizer.decode(supervised.map((t) => ids[t] ?? -1)), rendered.prompt];
  };
  const end = '<|im_end|>';

  it('have columns in braces, and train on the completion alone', async () => {
    const row = { question: 'Why?', number: 3, sure: true, answer: 'So.' };
    expect(
      await written({ prompt: '{{{number}}} {question} {sure}:', completion: ' {answer}' }, row),
    ).to.deep.equal([`{3} Why? true: So.${end}`, ` So.${end}`, '{3} Why? true:']);
    expect(await written({ completion: '{question} {answer}' }, row)).to.deep.equal([
      `Why? So.${end}`,
      `Why? So.${end}`,
      '',
    ]);
    expect(await written({ prompt: '{question} ' }, { question: 'q', completion: 'c' })).to.deep.equal([
      `q c${end}`,
      `c${end}`,
      'q ',
    ]);
  });

  it('may be Jinja files: Alpaca’s layout, with and without an input', async () => {
    const text =
      '### Instruction:\n{{ instruction }}\n\n{% if input %}\n### Input:\n{{ input }}\n\n{% endif %}\n### Response:\n\n';
    const args = { prompt: { file: 'alpaca.jinja', sha256: '', text }, completion: '{output}' };
    const alpaca = await open(model('bytes'), { template: call('alpaca') });
    for (const row of [
      { instruction: 'Ask', input: 'it', output: 'Yes.' },
      { instruction: 'Ask', output: 'Yes.' },
    ])
      expect((await written(args, row))[0]).to.equal(encoded(alpaca, row).rendered.text);
  });

  it('name the column that a row has not, or that is no text', async () => {
    const encoder = await open(model('bytes'), {
      template: call('completion', { prompt: '{a}', completion: '{b}' }),
    });
    expect(reasonOf(encoder, { a: 'x' })).to.deep.equal(['missing_column', 'no column `b`']);
    expect(reasonOf(encoder, { a: ['x'], b: 'y' })).to.deep.equal([
      'wrong_type',
      '`a` is a list, which `{a}` cannot write; a Jinja file can',
    ]);
    expect(reasonOf(encoder, { a: 'x', b: ' ' })).to.deep.equal(['empty', 'its completion is empty']);
    const refusing = { file: 'x.jinja', sha256: '', text: "{{ raise_exception('no') }}" };
    const strict = await open(model('bytes'), { template: call('completion', { completion: refusing }) });
    expect(reasonOf(strict, { a: 'x' })[1]).to.equal('The template refused the row: no');
  });
});

describe('a row that can’t be written out', () => {
  const assistant = { role: 'assistant', content: 'a' };
  const user = { role: 'user', content: 'q' };
  const refused: readonly (readonly [string, Row])[] = [
    ['missing_column', { output: 'a' }],
    ['missing_column', { instruction: null, output: 'a' }],
    ['wrong_type', { instruction: 'q', output: 3 }],
    ['wrong_type', { instruction: 'q', input: ['x'], output: 'a' }],
    ['empty', { instruction: 'q', output: ' \n' }],
    ['empty', { messages: [] }],
    ['wrong_type', { messages: 'q' }],
    ['no_supervised_token', { messages: [user, { role: 'tool', content: 'x' }] }],
    ['wrong_type', { messages: [user, { role: 'robot', content: 'x' }, assistant] }],
    ['wrong_type', { messages: [user, { ...assistant, content: null }] }],
    ['wrong_type', { messages: [null, assistant] }],
    ['empty', { messages: [user, { ...assistant, content: '' }] }],
    ['no_supervised_token', { messages: [user] }],
  ];
  for (const [reason, row] of refused) {
    it(`${JSON.stringify(row)}: ${reason}`, async () => {
      expect(reasonOf(await open(model('bytes')), row)[0]).to.equal(reason);
    });
  }

  it('has columns that the template reads', async () => {
    const completion = await open(model('bytes'), { template: call('completion') });
    expect(reasonOf(completion, { instruction: 'q', output: 'a' })[0]).to.equal('missing_column');
    expect(reasonOf(completion, { prompt: 'q' })[0]).to.equal('missing_column');
    expect(reasonOf(completion, { prompt: 'q', completion: 1 })[0]).to.equal('wrong_type');
  });
});

describe('a row that is too long', () => {
  const row = { instruction: 'q', output: 'The quick brown fox jumps over the lazy dog' };

  it('is dropped, cut or split', async () => {
    const whole = encoded(await open(model('bytes')), row);
    const tokens = whole.ids.length;
    const limit = whole.piece.promptTokens + 5;
    const dropping = await open(model('bytes'), { max_length: limit });
    expect(reasonOf(dropping, row)).to.deep.equal([
      'too_long',
      `${tokens} tokens, at most ${limit} are allowed`,
    ]);

    const cutting = await open(model('bytes'), { max_length: limit, overflow: 'truncate' });
    const cut = encoded(cutting, row);
    expect(cut.ids).to.deep.equal(whole.ids.slice(0, limit));
    expect(cut.piece).to.include({ supervised: 5, promptTokens: whole.piece.promptTokens });
    expect(cut.remarks).to.deep.equal([
      { reason: 'too_long', detail: `cut: ${tokens} tokens, at most ${limit} are allowed` },
    ]);

    const outcome = (await open(model('bytes'), { max_length: limit, overflow: 'split' })).encode(row);
    if ('reason' in outcome) return expect.fail(outcome.reason);
    expect(outcome.kept.flatMap(({ ids }) => [...ids])).to.deep.equal(
      // The last piece is the end of a line alone, and nothing in it is supervised.
      whole.ids.slice(
        0,
        outcome.kept.reduce((sum, { ids }) => sum + ids.length, 0),
      ),
    );
    expect(outcome.kept.length).to.be.greaterThan(2);
    expect(outcome.kept.every(({ ids, supervised }) => ids.length <= limit && supervised > 0)).to.equal(true);
    expect(outcome.kept.slice(1).map(({ promptTokens }) => promptTokens)).to.deep.equal(
      outcome.kept.slice(1).map(() => 0),
    );
  });

  it('asks nothing where its last answer is cut off, and goes where every answer is', async () => {
    const messages = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'a question that goes on for a while' },
      { role: 'assistant', content: 'b' },
    ];
    const whole = encoded(await open(model('bytes')), { messages });
    const first = whole.supervised[0] ?? 0;
    const settings = { max_length: whole.piece.promptTokens - 2, overflow: 'truncate' } as const;
    const { piece } = encoded(await open(model('bytes'), settings), { messages });
    expect(piece).to.include({ supervised: 2, promptTokens: 0 });
    const short = await open(model('bytes'), { max_length: first, overflow: 'truncate' });
    expect(reasonOf(short, { messages })).to.deep.equal([
      'no_supervised_token',
      `its answer is beyond the first ${first} of ${whole.ids.length} tokens`,
    ]);
  });
});

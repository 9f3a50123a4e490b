/** `ftpc generate` and `ftpc chat` as a user meets them: streams, files of questions, signals, closed pipes. */
import { spawn } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as v from 'valibot';
import { ROW_PROMPT, trainingPromptText } from '../../../src/compute/models/training-prompt.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { answerLine, shown } from '../../../src/tools/cli/options/answer-options.js';
import { readQuestions } from '../../../src/tools/cli/questions.js';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { expectSchema } from '../insight/schemas.js';
import { FTPC, freshFolder, ftpc, objects } from './folders.js';

describe('answers on the command line', () => {
  let folder = '';
  before(() => {
    folder = freshFolder();
    writePipeline(folder, { steps: 2 });
  });
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return name;
  };

  it('are the same one by one and from a file of questions', async () => {
    const questions = ['Why?', 'Who wrote it, and when?'];
    const lines = questions.map((question) => `${JSON.stringify({ id: 7, question })}\r\n\n`);
    const file = write('questions.jsonl', `\ufeff${lines.join('')}`);
    const many = await ftpc(folder, [
      'generate',
      'model',
      '--questions',
      file,
      '--max-tokens',
      '9',
      '--json',
    ]);
    expect(many.code).to.equal(0);
    const one = await ftpc(folder, ['generate', 'model', 'Why?', '--max-tokens', '9', '--json']);
    const [first, second] = objects(many.out);
    for (const answer of [first, second, ...objects(one.out)]) expectSchema('answer', answer);
    expect(first).to.deep.equal({ ...objects(one.out)[0], line: 1 });
    expect(second).to.include({ line: 3, answerTokens: 9, reason: 'length' });
    const text = await ftpc(folder, ['generate', 'model', 'Why?', '--max-tokens', '9']);
    expect(text.out).to.equal(`${first?.['text']}\n`);
    const read = await ftpc(folder, ['generate', 'model', '-', '--max-tokens', '9'], {}, 'Why?\n');
    expect(read.out).to.equal(text.out);
  });

  it('depend on the seed, and on it alone', async () => {
    const draw = async (...more: string[]) =>
      (
        await ftpc(folder, [
          'generate',
          'model',
          'Why?',
          '--temperature',
          '1.5',
          '--max-tokens',
          '8',
          '--threads',
          '1',
          ...more,
        ])
      ).out;
    const [first, again, other] = [await draw(), await draw('--seed', '17'), await draw('--seed', '18')];
    expect(again).to.equal(first);
    expect(other).not.to.equal(first);
  });

  it('come from one engine: options of another are refused', async () => {
    for (const option of [
      ['--runtime', 'onnx'],
      ['--python', 'python3'],
    ]) {
      const refused = await ftpc(folder, ['generate', 'model', 'Why?', '--engine', 'llama.cpp', ...option]);
      expect(refused.code).to.equal(1);
      expect(refused.err).to.contain(`\`--engine llama.cpp\` and \`${option[0]}\` exclude each other`);
    }
  });

  describe('of a model that says how it was trained', () => {
    const ask = (...words: string[]) =>
      ftpc(folder, ['generate', 'asked', 'Why?', '--max-tokens', '6', '--raw-output', ...words]);
    const trained = (systems: readonly (string | null)[], more: object = {}): void => {
      const prompt = {
        ...{ style: 'chat', template: null, otherRows: 0, stop: ['<|im_end|>'] },
        systems: systems.map((text, at) => ({ text, rows: 9 - at })),
        ...more,
      };
      write('asked/training_prompt.json', trainingPromptText(v.parse(ROW_PROMPT, prompt)));
    };
    before(() => cpSync(join(folder, 'model'), join(folder, 'asked'), { recursive: true }));

    it('are asked with its system prompt, unless options say otherwise @long', async () => {
      trained(['Be brief.']);
      const [byDefault, said, without] = [
        await ask(),
        await ask('--system', 'Be brief.'),
        await ask('--no-system'),
      ];
      expect(byDefault.err).to.equal('system prompt of training: "Be brief."; --no-system answers without\n');
      expect(byDefault.out).to.equal(said.out);
      expect([said.err, without.err]).to.deep.equal(['', '']);
      expect(without.out).not.to.equal(said.out);
      const file = write('asked.jsonl', '{"question":"Why?"}\n');
      const many = await ftpc(folder, [
        'generate',
        'asked',
        '--questions',
        file,
        '--max-tokens',
        '6',
        '--json',
      ]);
      expect(`${objects(many.out)[0]?.['text']}\n`).to.equal(said.out);
      const talk = await ftpc(folder, ['chat', 'asked', '--max-tokens', '6', '--json'], {}, 'Why?\n');
      expect(`${objects(talk.out)[0]?.['text']}\n`).to.equal(said.out);
      const both = await ask('--system', 'x', '--no-system');
      expect([both.code, both.out]).to.deep.equal([1, '']);
    });

    it('have no system prompt where the rows had several, which are listed', async () => {
      trained(['Be brief.', null]);
      const { err, out } = await ask();
      expect(err)
        .to.contain('had 2 system prompts')
        .and.to.contain('9 rows  "Be brief."')
        .and.to.contain('none');
      expect(out).to.equal((await ask('--no-system')).out);
    });

    it('continue a text where the rows were texts', async () => {
      trained([null], { style: 'text', template: 'completion' });
      const { err, out } = await ask();
      expect(err).to.equal('template of training: completion; --template model asks in a chat\n');
      expect(out).to.equal((await ask('--raw')).out);
      const said = await ask('--system', 'Be brief.');
      expect([said.code, said.out]).to.deep.equal([1, '']);
      expect(said.err).to.contain('`--template model`');
      expect((await ask('--system', 'Be brief.', '--template', 'model')).code).to.equal(0);
      const model = await ask('--template', 'model');
      expect(model.out).not.to.equal(out);
      expect((await ask('--template', 'chatml')).code).to.equal(0);
      expect((await ask('--template', 'chatm')).err).to.contain('did you mean `chatml`?');
    });
  });

  const misused: readonly (readonly [words: readonly string[], says: string])[] = [
    [['Why?', '--top-p', '0.9'], 'add `--temperature 1`'],
    [['Why?', '--seed', '3', '--temperature', '0'], 'add `--temperature 1`'],
    [['Why?', '--seed', '1e300', '--temperature', '1'], 'a whole number from 0'],
    [['Why?', '--repetition-penalty', '0'], 'from 0.01 to 100'],
    [['Why?', '--stop', ''], 'needs a text that is not empty'],
    [['Why?', '--top-k', '0.5', '--temperature', '1'], 'a whole number from 1'],
    [['Why?', '--temprature', '1'], 'did you mean `--temperature`?'],
    [['Why?', '--raw', '--system', 'x'], '`--raw` and `--system` contradict each other'],
    [['Why?', '--raw', '--no-system'], '`--raw` and `--no-system` contradict each other'],
    [['Why?', '--raw', '--template', 'chatml'], '`--raw` and `--template` contradict each other'],
    [[], 'needs QUESTION or `--questions FILE.jsonl`'],
    [['Why?', '--questions', 'questions.jsonl'], 'one of them'],
  ];
  for (const [words, says] of misused)
    it(`refuse ${words.join(' ') || 'no question'}`, async () => {
      const { code, out, err } = await ftpc(folder, ['generate', 'model', ...words]);
      expect(code).to.equal(1);
      expect(out).to.equal('');
      expect(err).to.contain(says);
    });

  it('name the line of a question that is too long', async () => {
    const file = write('long.jsonl', `{"question":"a"}\n{"question":"${'a'.repeat(500)}"}\n`);
    const { code, out, err } = await ftpc(folder, ['generate', 'model', '--questions', file]);
    expect([code, out]).to.deep.equal([1, '']);
    expect(err).to.contain('FTP0707').and.to.contain('long.jsonl:2:1');
  });

  const asked: readonly (readonly [words: readonly string[], place: string])[] = [
    [['generate', 'model', '-'], '-:2:2'],
    [['chat', 'model', '--max-tokens', '1'], '-:1:2'],
  ];
  for (const [words, place] of asked)
    it(`refuse what is not UTF-8: ${words[0]}`, async () => {
      const child = spawn(process.execPath, [FTPC, ...words], { cwd: folder });
      let err = '';
      child.stderr.on('data', (chunk) => {
        err += chunk;
      });
      child.stdin.end(Uint8Array.of(0x61, 0x0a, 0x62, 0xff, 0x0a));
      const code = await new Promise((resolve) => child.on('close', resolve));
      expect(code).to.equal(1);
      expect(err).to.contain('FTP0872').and.to.contain(place);
    });

  it('take a line for a question, whatever letters are in it', async () => {
    const line = 'Grüße, \u4f60\u597d, a\u2028b?';
    const one = await ftpc(folder, ['generate', 'model', line, '--max-tokens', '5', '--json']);
    const talk = await ftpc(folder, ['chat', 'model', '--max-tokens', '5', '--json'], {}, `${line}\n`);
    expect(objects(talk.out)).to.deep.equal(objects(one.out));
    expectSchema('answer', objects(talk.out)[0]);
  });

  it('end quietly when nobody reads any more', async () => {
    const words = ['generate', 'model', 'Why?', '--temperature', '2', '--max-tokens', '90'];
    const child = spawn(process.execPath, [FTPC, ...words], { cwd: folder });
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const signal = await new Promise((resolve) => child.on('close', (_code, ended) => resolve(ended)));
    expect([signal, err]).to.deep.equal(['SIGPIPE', '']);
  });

  it('are cut off by Ctrl-C in a talk, which goes on', async () => {
    // long enough to be interrupted on a busy machine, too
    const starter = join(nodeHost().packageFolder, 'stdlib/models/starter');
    const words = ['chat', starter, '--temperature', '3', '--max-tokens', '400'];
    const child = spawn(process.execPath, [FTPC, ...words], { cwd: folder });
    let [out, err] = ['', ''];
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdin.write('a\n');
    await new Promise<void>((resolve) => {
      let interrupted = false;
      child.stdout.on('data', (chunk) => {
        out += chunk;
        if (!interrupted) child.kill('SIGINT');
        interrupted = true;
        if (out.endsWith('\n')) resolve();
      });
    });
    const before = out.length;
    child.stdin.end('b\n');
    child.stdout.once('data', () => child.kill('SIGINT'));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, err]).to.deep.equal([0, '']);
    expect(out.length).to.be.greaterThan(before + 1);
  });

  it('drive no terminal', () => {
    const text = 'a\u001b]52;c;aGk=\u0007b\r\u009b2J\tc\n\u202ed';
    expect(answerLine({ text })).to.match(/^[^\p{Cc}\u202e]*$/u);
    expect(JSON.parse(answerLine({ text }))).to.deep.equal({ version: 1, text });
    expect(shown(text, { flag: () => true })).to.equal(text);
    expect(shown(text, { flag: () => false })).to.match(/^[^\p{Cc}\u202e]*\t[^\p{Cc}]*\n[^\p{Cc}]*$/u);
  });
});

describe('a file of questions', () => {
  const folder = freshFolder();
  const problemOf = (content: string | Uint8Array): string => {
    const path = join(folder, 'questions.jsonl');
    writeFileSync(path, content);
    try {
      readQuestions(nodeHost(), path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { code, at, help = '' } = error.diagnostic;
      const place = at !== undefined && 'line' in at ? `${at.line}:${at.column}` : '';
      return `${code} ${place} ${help}`;
    }
    return 'none';
  };
  const cases: readonly (readonly [what: string, content: string | Uint8Array, problem: RegExp])[] = [
    ['no line', ' \n\n', /^FTP0873 0:0/],
    ['no JSON', '{"question":"a"}\n{"question":"a" "b"}', /^FTP0873 2:17/],
    ['a line cut short', '{"question":"a', /^FTP0873 1:/],
    ['a list', '["a"]', /^FTP0873 1:1/],
    ['another field', '{"qestion":"a"}', /^FTP0873 1:1 did you mean `question` instead of `qestion`\?/],
    ['a number', '{"question":1}', /^FTP0873 1:1/],
    ['no messages', '{"messages":[]}', /^FTP0873 1:1/],
    ['a role of its own', '{"messages":[{"role":"tool","content":"a"}]}', /^FTP0873 1:1/],
    ['an answer at the end', '{"messages":[{"role":"assistant","content":"a"}]}', /^FTP0873 1:1/],
    ['bytes', Uint8Array.of(0x0a, 0xef, 0xbf, 0xbd, 0x61, 0xe2, 0x28), /^FTP0872 2:3/],
    ['messages', '{"messages":[{"role":"user","content":"a"}]}', /^none$/],
  ];
  for (const [what, content, problem] of cases)
    it(`of ${what}`, () => {
      expect(problemOf(content)).to.match(problem);
    });

  it('has questions and messages', () => {
    const path = join(folder, 'questions.jsonl');
    writeFileSync(path, '{"question":"a"}\n{"messages":[{"role":"user","content":"b"}]}\n');
    const read = readQuestions(nodeHost(), path);
    expect(read.map(({ messages }) => messages.map(({ content }) => content))).to.deep.equal([['a'], ['b']]);
  });
});

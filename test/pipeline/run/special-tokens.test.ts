import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openModelAt } from '../../../src/compute/models/open.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { writePipeline } from './pipelines.js';
import { finish, outputsIn } from './processes.js';
import { freshFolder } from './worlds.js';

const TOKENS = ['<tool>', '</tool>'];
/** Part of answers that are shown. */
const WORD = 'capital';
const BASE = `local("model", special_tokens: [${TOKENS.map((token) => `"${token}"`).join(', ')}], added_tokens: ["${WORD}"])`;

describe('a pipeline with added tokens', () => {
  const cwd = freshFolder();
  before(() => {
    writePipeline(cwd, { steps: 2, gate: '< 1000000' });
    const text = readFileSync(join(cwd, 'tiny.ftp'), 'utf8')
      .replaceAll('local("model")', BASE)
      .replace('rank: 2, alpha: 4', 'rank: 2, alpha: 4, modules_to_save: [embed_tokens, lm_head]');
    const packed = `\nmerge packed { base = ${BASE}, adapter = adapter.best, dtype = f16, file_format = gguf }\n`;
    writeFileSync(join(cwd, 'tiny.ftp'), text + packed);
    const rows = readFileSync(join(cwd, 'data/rows.jsonl'), 'utf8');
    writeFileSync(
      join(cwd, 'data/rows.jsonl'),
      rows.replace(/"output":"(\w+)"/g, '"output":"<tool>$1</tool>"'),
    );
  });

  it('has them in rows, adapter, merged models and release, which answers with them @long', async () => {
    const host = nodeHost(cwd);
    const { code, lines, err } = await finish(cwd);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    const output = outputsIn(cwd, lines);
    const base = openModelAt(host, join(cwd, 'model'));
    const word = base.config.vocabSize;
    const first = word + 1;
    const added = [
      { content: WORD, id: word, special: false },
      ...TOKENS.map((content, at) => ({ content, id: first + at, special: true })),
    ];

    const adapter = output('adapter', 'adapter');
    const release = output('local', 'release');
    for (const folder of [adapter, output('fused', 'model'), release]) {
      const { added_tokens: tokens } = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
      for (const [at, token] of added.entries()) expect(tokens.at(at - 3)).to.include(token);
    }
    expect(JSON.parse(readFileSync(join(adapter, 'special_tokens.json'), 'utf8'))).to.deep.equal({
      special_tokens: TOKENS,
      added_tokens: [WORD],
    });
    for (const folder of [output('fused', 'model'), output('packed', 'model')]) {
      const merged = openModelAt(host, folder);
      expect(merged.config.vocabSize).to.equal(first + 2);
      const tokenizer = await merged.tokenizer();
      const [x = 0] = (await base.tokenizer()).encode('x');
      expect([...tokenizer.encode('<tool>xcapital</tool>')]).to.deep.equal([first, x, word, first + 1]);
      expect(tokenizer.decode([first, x, word, first + 1], { skipSpecial: true })).to.equal('xcapital');
    }

    // what the pipeline adds is in texts on purpose
    const report = JSON.parse(readFileSync(output('dialogs', 'report'), 'utf8'));
    expect(JSON.stringify(report)).not.to.contain('special tokens');
    expect(readFileSync(join(adapter, 'README.md'), 'utf8')).to.contain(
      `model.resize_token_embeddings(${first + 2})\nmodel = PeftModel`,
    );

    const preview = await finish(cwd, ['preview', 'tiny.ftp', 'dialogs', '--rows', '1', '--json']);
    const [row] = (preview.lines[0]?.['rows'] ?? []) as readonly {
      readonly input_ids: readonly number[];
      readonly text: string;
    }[];
    expect(row?.input_ids).to.include.members([word, first, first + 1]);
    expect(row?.text).to.match(/<tool>\w+<\/tool>/);
    // the adapter alone, and the release, know what their base lacks
    const answers = await Promise.all(
      [[adapter, '--base', 'model'], [release]].map((words) =>
        finish(cwd, ['generate', ...words, '0: capital of Peru?', '--json']),
      ),
    );
    for (const { code: asked, err: said } of answers) expect([asked, said]).to.deep.equal([0, '']);
    const [a, b] = answers.map(({ lines: [line] }) => line?.['text']);
    expect(a).to.be.a('string').and.equal(b);
  });
});

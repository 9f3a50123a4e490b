import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { finish } from './processes.js';
import { freshFolder } from './worlds.js';

/** `template` over rows that are tokens already, and a base as `save_pretrained` alone writes it. */
const pipeline = (template: string): string => `edition 2026

import { jsonl } from "std/data"
import { ${template.replace('()', '')} } from "std/format"
import { perplexity } from "std/eval"

data rows {
  source = jsonl("rows.jsonl")
  split = { train: 80%, test: 20% }
}

format ids {
  from = rows
  template = ${template}
}

train adapter using lora {
  base = local("base")
  dataset = ids.train
  optimizer = adamw(rate: 2e-4)
  stop = { steps: 2 }
}

eval quality {
  model = adapter.last
  dataset = ids.test
  metrics = [perplexity]
}

merge fused { base = local("base"), adapter = adapter.last }
`;

describe('a base without a tokenizer', () => {
  const cwd = freshFolder();
  before(() => {
    cpSync(join(nodeHost().packageFolder, 'test/fixtures/training/base'), join(cwd, 'base'), {
      recursive: true,
    });
    const rows = Array.from({ length: 20 }, (_, row) => {
      const ids = Array.from({ length: 6 }, (_, at) => 3 + ((5 * row + 7 * at) % 20));
      return JSON.stringify({ input_ids: ids, labels: [-100, ...ids.slice(1)] });
    });
    writeFileSync(join(cwd, 'rows.jsonl'), `${rows.join('\n')}\n`);
    writeFileSync(join(cwd, 'tokens.ftp'), pipeline('tokens()'));
    writeFileSync(join(cwd, 'text.ftp'), pipeline('completion()'));
  });

  it('is trained, evaluated and merged on rows that are tokens already', async () => {
    const { code, lines, err } = await finish(cwd, ['run', 'tokens.ftp', '--json']);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    const finished = lines.at(-1)?.['stages'] as readonly { readonly status: string }[];
    expect(finished.map(({ status }) => status)).to.deep.equal(['done', 'done', 'done', 'done', 'done']);
  });

  it('cannot have texts, which is said before any row', async () => {
    writeFileSync(join(cwd, 'rows.jsonl'), '{"text":"a text"}\n{"text":"another"}\n'.repeat(10));
    const { code, lines } = await finish(cwd, ['run', 'text.ftp', '--json']);
    expect(code).to.equal(1);
    expect(lines.flatMap(({ type, code: found }) => (type === 'diagnostic' ? [found] : []))).to.include(
      'FTP0835',
    );
  });
});

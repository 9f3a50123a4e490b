/** What is served is asked as training's rows were, whatever their template. */
import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openServing } from '../../../src/pipeline/deploy/open-serving.js';
import { openSplit, type TokenizedSplit } from '../../../src/pipeline/stages/format/split-files.js';
import { finish } from '../run/processes.js';
import { freshFolder } from '../run/worlds.js';

const host = nodeHost();
const TINY = join(host.packageFolder, 'test/fixtures/evaluation/tiny/base');

/** Runs a pipeline; the folders of its outputs by stage and name. */
async function outputsOf(cwd: string, words: readonly string[]): Promise<(path: string) => string> {
  const { code, lines, err } = await finish(cwd, ['run', ...words, '--json']);
  expect(err).to.equal('');
  expect(code).to.equal(0);
  const stages = lines.at(-1)?.['stages'] as readonly {
    readonly name: string;
    readonly outputs: Readonly<Record<string, string>>;
  }[];
  return (path) => {
    const [stage, name = ''] = path.split('.');
    return join(cwd, stages.find((one) => one.name === stage)?.outputs[name] ?? 'none');
  };
}

/** The tokens that training's row had before its answer. */
const promptOf = (split: TokenizedSplit, row: number): readonly number[] => [
  ...split.read(row).ids.subarray(0, split.countsOf(row).prompt),
];

const STYLES = {
  own: 'chat()',
  system: 'chat(system: "Answer briefly.")',
  family: 'chat(style: zephyr)',
  both: 'chat(style: chatml, system: "Answer briefly.")',
  file: 'chat(style: file("own.jinja"))',
  alpaca: 'alpaca()',
  completion: 'completion()',
} as const;

const OWN = `{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}
{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}`;

const styled = ([name, template]: readonly [string, string]): string => `
format ${name}_rows {
  from = rows
  template = ${template}
  model = local("base")
}
train ${name}_adapter using lora {
  base = local("base")
  dataset = ${name}_rows.train
  optimizer = adamw(rate: 1e-3)
  stop = { steps: 1 }
}
`;

describe('the tokens of a request @long', () => {
  const cwd = freshFolder();
  let output: (path: string) => string;
  before(async () => {
    cpSync(TINY, join(cwd, 'base'), { recursive: true });
    writeFileSync(join(cwd, 'own.jinja'), OWN);
    const rows = Array.from({ length: 12 }, (_, i) =>
      JSON.stringify({
        instruction: `Größe ${i}: “wie viel”?`,
        output: `answer ${i}`,
        prompt: `Q${i}: `,
        completion: `A${i}`,
      }),
    );
    writeFileSync(join(cwd, 'rows.jsonl'), `${rows.join('\n')}\n`);
    const text = `edition 2026
import { jsonl } from "std/data"
import { alpaca, chat, completion } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}
${Object.entries(STYLES).map(styled).join('')}`;
    writeFileSync(join(cwd, 'styles.ftp'), text);
    output = await outputsOf(cwd, ['styles.ftp']);
  });

  for (const [name, template] of Object.entries(STYLES))
    it(`are those of training’s rows in the template ${template}`, async () => {
      const split = openSplit(host, dirname(output(`${name}_rows.format`)), 'train');
      const engine = await openServing(host, {
        ...{ folder: output(`${name}_adapter.last`), base: join(cwd, 'base'), engine: 'embedded' },
      });
      try {
        for (const [row, { prompt }] of [...split.texts()].entries()) {
          const question = `Größe ${split.placeOf(row).line - 1}: “wie viel”?`;
          const content = name === 'completion' ? prompt : question;
          const ids = await engine.tokensOf({ messages: [{ role: 'user', content }] });
          expect(ids).to.deep.equal(promptOf(split, row));
        }
      } finally {
        await engine.close();
      }
    });
});

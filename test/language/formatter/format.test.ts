import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatText } from '../../../src/language/formatter/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { sourceText } from '../../../src/language/source/text.js';
import { parse } from '../../../src/language/syntax/parse.js';
import { expectGolden } from '../../helpers/golden.js';
import { randomFrom, respace, strewComments } from './mangle.js';

const host = nodeHost();
const root = host.packageFolder;

const files = ['pipelines', 'stdlib', 'test/corpus', 'test/language/formatter/cases'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ftp') && !/(^|\/)\.ftp\//.test(name))
    .map((name) => ({ name: join(folder, name), text: host.readText(join(root, folder, name)) })),
);
/** Pages for readers; those of the errors show what is wrong. */
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: host.readText(join(root, name)) }));
const readable = files.filter(({ name, text }) =>
  parse(sourceText(name, text)).diagnostics.every(({ severity }) => severity !== 'error'),
);

const formatted = (text: string, name = 'x.ftp'): string => {
  const { text: result, diagnostics } = formatText(text, name);
  expect(diagnostics, `${name}\n${text}`).to.equal(undefined);
  return result ?? '';
};

const commentsOf = (text: string): readonly string[] =>
  parse(sourceText('x', text))
    .tree.comments.map((comment) => comment.text.trimEnd())
    .sort();

describe('formatter', () => {
  for (const name of readdirSync(join(root, 'test/language/formatter/cases')))
    it(`lays out ${name}`, () => {
      const folder = `test/language/formatter/cases/${name}`;
      expectGolden(`${folder}/output.ftp`, formatted(host.readText(join(root, folder, 'input.ftp'))));
    });

  for (const { name, text } of readable)
    it(`leaves its own result of ${name} alone, and keeps the comments`, () => {
      const once = formatted(text, name);
      expect(formatted(once, name)).to.equal(once);
      expect(commentsOf(once)).to.deep.equal(commentsOf(text));
      expect(once).to.match(/^$|\S\n$/);
      expect(once).not.to.match(/[ \t\r]$|\n\n\n|\t/m);
    });

  it('gives one text, whatever the white space was', () => {
    const random = randomFrom(2026);
    // behind something, `// allow(…)` speaks of its line: there a line end means something
    const free = readable.filter(({ name }) => !name.includes('allowances'));
    for (let i = 0; i < 300; i++) {
      const { name, text } = free[Math.floor(random() * free.length)] ?? { name: '', text: '' };
      const mangled = respace(text, random);
      expect(formatted(mangled, name), `${name}, number ${i}:\n${mangled}`).to.equal(formatted(text, name));
    }
  });

  it('keeps comments wherever they are', () => {
    const random = randomFrom(17);
    for (let i = 0; i < 300; i++) {
      const { name, text } = readable[Math.floor(random() * readable.length)] ?? { name: '', text: '' };
      const strewn = strewComments(text, random);
      const once = formatted(strewn.text, name);
      expect(commentsOf(once)).to.deep.equal([...commentsOf(text), ...strewn.comments].sort());
      expect(formatted(once, name), `${name}, number ${i}:\n${strewn.text}`).to.equal(once);
    }
  });

  it('has been applied to the pipelines of this repository', () => {
    const own = files.filter(({ name }) => /^(pipelines|stdlib)\//.test(name));
    const shown = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/```ftp[^\n]*\n([\s\S]*?)```/g)].map(([, block = '']) => ({ name, text: block })),
    );
    expect(shown.length).to.be.above(5);
    for (const { name, text } of [...own, ...shown]) {
      const { text: result } = formatText(text, name);
      // parts of a pipeline that a page shows need not stand alone
      if (result !== undefined || !name.endsWith('.md')) expect(text, name).to.equal(result);
    }
  });

  it('refuses a text with syntax errors, and says which', () => {
    for (const { name, text } of files.filter((file) => !readable.includes(file))) {
      const { text: result, diagnostics } = formatText(text, name);
      expect(result).to.equal(undefined);
      expect(diagnostics?.length).to.be.above(1);
      expect(diagnostics?.at(-1)?.code).to.equal('FTP1101');
    }
  });
});

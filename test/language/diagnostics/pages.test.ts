import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { joined, type ParamFile, type ParamValues } from '../../../src/language/check/overrides.js';
import { readParamFile } from '../../../src/language/check/param-file.js';
import { compile } from '../../../src/language/compile.js';
import { paramFileUnreadable } from '../../../src/language/diagnostics/catalogue/params.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { lintReport, rules } from '../../../src/language/lint/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { overlayHost } from '../../helpers/overlay-host.js';
import { CODES, isOfLint, isOfText, PAGES, read } from './catalogue.js';
import { sectionOf } from './example.js';

const root = nodeHost().packageFolder;

/** Rows for the examples of lints, by their number. */
const ROWS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries({ few: 400, some: 900, rows: 4000, general: 1000 }).map(([name, count]) => [
      `data/${name}.jsonl`,
      '{"instruction":"a","output":"b"}\n'.repeat(count),
    ]),
  ),
  'data/pairs.jsonl': '{"prompt":"a","chosen":"b","rejected":"c"}\n'.repeat(4000),
};

interface Example {
  readonly files: Readonly<Record<string, string>>;
  readonly params: ParamValues;
}

/** The `ftp` blocks of a page: the pipeline (with `-p` where it needs parameters), then files by name. */
function exampleOf(page: string): Example {
  const files: Record<string, string> = {};
  const params: Record<string, string> = {};
  for (const [, info = '', body = ''] of page.matchAll(/```ftp([^\n]*)\n([\s\S]*?)```/g)) {
    for (const [, name = '', value = ''] of info.matchAll(/-p (\w+)=(\S+)/g)) params[name] = value;
    files[/^ [\w.]+$/.test(info) ? info.trim() : 'pipeline.ftp'] = body;
  }
  for (const [, body = ''] of page.matchAll(/```json ftpc\.json\n([\s\S]*?)```/g)) files['ftpc.json'] = body;
  const [, file] = /^```ftp.* --params (\S+)$/m.exec(page) ?? [];
  return { files, params: file === undefined ? params : joined([paramFile(page, file)], params) };
}

/** The `json` block of that name; a page of a missing file has none. */
function paramFile(page: string, file: string): ParamFile {
  const [, body] = new RegExp(`\`\`\`json ${file}\\n([^]*?)\`\`\``).exec(page) ?? [];
  return body === undefined
    ? { overrides: {}, diagnostics: [paramFileUnreadable(file, 'no such file')] }
    : readParamFile(body, file);
}

describe('pages of the diagnostics', () => {
  it('are there for every code, and for no other', () => {
    expect(PAGES.filter((page) => /^FTP\d{4}$/.test(page)).sort()).to.deep.equal(CODES);
  });

  it('are the only ones that the documentation names', () => {
    const texts = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name));
    const named = ['README.md', ...texts].flatMap((name) => read(name).match(/FTP\d{4}/g) ?? []);
    expect(named.filter((code) => !CODES.includes(code))).to.deep.equal([]);
  });

  it('are made by files that the recipe names', () => {
    const recipe = read('docs/adding-a-diagnostic.md');
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /catalogue\/|-diagnostics\.ts$/.test(name))
      .filter((name) => /'FTP\d{4}'/.test(read(join('src', name))));
    expect(files.filter((name) => !recipe.includes(`\`src/${name}\``))).to.deep.equal([]);
  });

  it('are of messages that something says', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ name, text: read(join('src', name)) }));
    const unsaid = sources
      .filter(({ name }) => /catalogue\/|-diagnostics\.ts$/.test(name))
      .flatMap(({ name, text }) =>
        [...text.matchAll(/^export (?:const|function) (\w+)/gm)]
          .map(([, message = '']) => message)
          .filter(
            (message) =>
              !sources.some(
                (other) => other.name !== name && new RegExp(`\\b${message}\\b`).test(other.text),
              ),
          )
          .map((message) => `${name}: ${message}`),
      );
    expect(unsaid).to.deep.equal([]);
  });

  for (const code of CODES.filter((code) => PAGES.includes(code))) {
    const page = read(`docs/errors/${code}.md`);

    it(`${code} says what it is and how to fix it`, () => {
      expect(page).to.match(new RegExp(`^# ${code}: \\S`));
      expect(page.split('\n\n').length).to.be.above(1);
      for (const heading of ['Example', 'How to fix it'])
        expect(sectionOf(page, heading), heading).to.match(/\S/);
    });

    if (isOfText(code))
      it(`${code} has an example that yields it alone`, () => {
        const { files, params } = exampleOf(page);
        // Files of tests know their kind by their name.
        const main = 'pipeline.test.ftp' in files ? 'pipeline.test.ftp' : 'pipeline.ftp';
        expect(Object.keys(files)).to.include(main);
        const host = overlayHost(join(root, 'test/corpus/invalid'), files);
        const { diagnostics } = compile(host, main, { params });
        expect(diagnostics.map((found) => found.code)).to.deep.equal([code]);
        for (const { label, help } of diagnostics) expect(help ?? label, 'says what to do').to.match(/\S/);
      });

    if (isOfLint(code))
      it(`${code} has an example in which a lint finds it alone`, () => {
        const { files } = exampleOf(page);
        const host = overlayHost(join(root, 'test/corpus/invalid'), { ...ROWS, ...files });
        const compiled = compile(host, 'pipeline.ftp');
        const found = [...compiled.diagnostics, ...lintReport(compiled, host).diagnostics];
        expect(found.map((found) => found.code)).to.deep.equal([code]);
        const rule = rules.find((rule) => rule.code === code);
        if (rule === undefined) return;
        const { id, level, doc, reason } = rule;
        const beginning = `Rule \`${id}\` (${level}). ${doc}\n\n${reason}`;
        expectGolden(
          `docs/errors/${code}.md`,
          page.replace(/(?<=^# .*\n\n).*?(?=\n\n## )/s, () => beginning),
        );
      });
  }
});

import { expect } from 'chai';
import { lintReport } from '../../../../src/language/lint/index.js';
import { htmlPage, markdownPage, pageOf } from '../../../../src/tools/insight/docs/index.js';
import { planQuietly } from '../../../../src/tools/review/plan-quietly.js';
import { expectGolden } from '../../../helpers/golden.js';
import { freshFolder } from '../folders.js';
import { expectSchema } from '../schemas.js';

/** A pipeline of data alone, with everything that may stand in a page and not be what it seems. */
const PIPELINE = `/// Rows of \`questions\` & answers, <b>not bold</b>.
///
/// A second paragraph | with a bar.
edition 2026

import { jsonl } from "std/data"

/// How many rows, "at most" | so.
param most: Int = 100
param needed: Int
secret token = env("SOME_TOKEN")

/// Reads <script>alert(1)</script>.
data rows {
  source = jsonl("data/*.jsonl")
  limit = most < needed ? most : needed
  split = { train: 100% }
  require rows >= 1
}
`;

describe('the page of a pipeline', () => {
  const folder = freshFolder();

  async function page() {
    const params = { needed: '5' };
    folder.write('a|b `c`.ftp', PIPELINE);
    folder.write('data/a.jsonl', '{"instruction": "a", "output": "b"}\n');
    const file = 'a|b `c`.ftp';
    const { host } = folder;
    const { compiled, plan } = await planQuietly(host, file, params, { machine: 'cpu-8gib' });
    const { program, analysis } = compiled;
    if (program === undefined || analysis === undefined || plan === undefined)
      throw new Error(compiled.diagnostics.map(({ message }) => message).join('\n'));
    return pageOf({
      host,
      file,
      program,
      analysis,
      compiled,
      plan,
      lints: lintReport(compiled, host),
      params,
    });
  }

  it('says in Markdown what it reads, what it decides, and how to run it', async () => {
    expectSchema('docs', { version: 1, ...(await page()) });
    expectGolden('test/tools/insight/golden/page.md', markdownPage(await page()));
  });

  it('says the same in HTML, that loads nothing and lets nothing through', async () => {
    const text = await htmlPage(await page());
    expectGolden('test/tools/insight/golden/page.html', text.replace(/<style>[\s\S]*?<\/style>/, ''));
    expect(text.startsWith('<!doctype html>\n<html lang="en">')).to.equal(true);
    expect(text).to.not.match(/<script|<link|<img|src=|@import|url\(/);
    expect(text.replace(/xmlns(:xlink)?="[^"]*"/g, '')).to.not.contain('http');
    expect(text).to.not.contain('<b>not bold');
    expect(text).to.contain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('can be read by those who do not see it', async () => {
    const text = await htmlPage(await page());
    expect(text).to.contain('<svg role="img" aria-label="stages of ');
    const levels = [...text.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(levels[0]).to.equal(1);
    const steps = levels.slice(1).map((level, index) => level - (levels[index] ?? 0));
    expect(Math.max(...steps)).to.equal(1);
    for (const [table] of text.matchAll(/<table>[\s\S]*?<\/table>/g)) {
      expect(table).to.match(/^<table><caption/);
      expect(table).to.contain('scope="col"').and.to.contain('scope="row"');
    }
    expect(text).to.contain('color-scheme: light dark');
  });

  it('is the same every time', async () => {
    expect(await htmlPage(await page())).to.equal(await htmlPage(await page()));
  });
});

import { expect } from 'chai';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { compare } from '../../../src/tools/review/compare.js';
import {
  LONGEST_COMMENT,
  marker,
  renderFailure,
  renderMarkdown,
} from '../../../src/tools/review/render/markdown.js';
import { renderComparisonText } from '../../../src/tools/review/render/text.js';
import type {
  Comparison,
  PlanOutline,
  SettingOutline,
  StageOutline,
} from '../../../src/tools/review/types.js';
import { noGit, workingFolder } from './repository.js';

const HOSTILE: readonly string[] = [
  'a|b',
  'a\\|b',
  '`code`',
  '```\n# heading\n```',
  '</details><script>alert(1)</script>',
  '<!-- ftpc-plan: other -->',
  '@everyone see #1 and https://example.org',
  '[link](javascript:alert(1))',
  '**bold** _it_ ~~gone~~',
  '&lt;b&gt; &#64;user',
  '| --- | --- |',
  'line\r\nbreak\ttab\u2028',
  '\u202eright to left\u202c \u200b',
  '\u001b[31mred\u001b[0m',
  ' spaces ',
  '\ud800 half',
  '',
  'x'.repeat(5000),
];

const setting = (text: string): SettingOutline => ({ text, from: 'author' });

const stage = (name: string, value: string, key: string): StageOutline => ({
  name,
  kind: 'train',
  settings: { [`path.${name}`]: setting(value) },
  requires: [value],
  figures: { rows: key.length, peakBytes: key.length * 1e6 },
  identity: { key, parts: { [`settings.${name}`]: JSON.stringify(value), [`file:${name}`]: key } },
});

const reviewedOf = (texts: readonly string[], side: string): PlanOutline => ({
  stages: texts.map((text, index) => stage(`${text}${index}`, `${text}${side}`, `${side}${index}`)),
  budget: texts.map((text) => ({ require: text + side, holds: false })),
  diagnostics: texts.map((text) => ({ code: 'FTP0001', severity: 'warning', message: text + side })),
  valid: true,
});

const comparisonOf = (texts: readonly string[], pipeline = 'pipelines/legal.ftp'): Comparison =>
  compare({
    pipeline,
    base: { kind: 'ref', ref: texts[0] ?? 'main', file: pipeline },
    machine: { name: null, memoryBytes: null, devices: null },
    before: reviewedOf(texts, 'old'),
    after: reviewedOf(texts, 'later'),
    notes: [
      ...texts.map((text) => ({ kind: 'renamed' as const, from: text })),
      { kind: 'untracked', files: texts },
    ],
  });

/** What of a Markdown text is not in a code span or a code element. */
const outsideCode = (text: string): string =>
  text
    .replace(/<code>[^<>`|@]*<\/code>/g, '')
    .replace(/`[^`\n\\|]*`/g, '')
    .replace(/^<!-- ftpc-plan: [^>]* -->$/m, '');

describe('a comparison in Markdown', () => {
  it('lets nothing of what others wrote be markup', () => {
    const text = renderMarkdown(comparisonOf(HOSTILE, HOSTILE.slice(0, 8).join(' ')));
    const ours = outsideCode(text);
    expect(ours).to.match(
      /^[\w\s.,;:|*→←×+−%()…·–-]*(?:<\/?(?:details|summary|sub|br)>[\w\s.,;:|*→←×+−%()…·–-]*)*$/u,
    );
    expect(ours).to.not.match(/@|#|`|http|\[/);
    expect(text.match(/<details>/g)?.length).to.equal(text.match(/<\/details>/g)?.length);
    expect(text.match(/<!--/g)).to.have.lengthOf(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
    expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f\u2028\u202e\u200b\ud800]/);
  });

  it('has rows of as many cells as its tables have columns', () => {
    const lines = renderMarkdown(comparisonOf(HOSTILE)).split('\n');
    let columns = 0;
    let rows = 0;
    lines.forEach((line, index) => {
      const cells = line.split('|').length;
      if (/^\| --- /.test(line)) columns = cells;
      else if (line.startsWith('|') && !/^\| --- /.test(lines[index + 1] ?? '')) {
        rows++;
        expect(cells, line).to.equal(columns);
      }
    });
    expect(rows).to.be.above(50);
  });

  it('lets no terminal be steered', () => {
    const text = renderComparisonText(comparisonOf(HOSTILE), PLAIN);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
    expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f\u2028\u202e\u200b]/);
  });

  it('begins with a marker that names the pipeline and can be no other comment', () => {
    expect(marker('pipelines/legal.ftp')).to.equal('<!-- ftpc-plan: pipelines/legal.ftp -->');
    const markers = [
      ...HOSTILE.slice(0, -1),
      'a--b',
      'a-',
      'ä ö',
      'long/'.repeat(100),
      `${'long/'.repeat(100)}x`,
    ].map(marker);
    expect(new Set(markers.filter((text) => !text.includes('%EF%BF%BD'))).size).to.be.at.least(
      markers.length - 1,
    );
    for (const text of markers) {
      expect(text).to.match(/^<!-- ftpc-plan: (?!>)(?:(?!--)[\w./%~-])*(?<!-) -->$/);
      expect(text.length).to.be.below(250);
    }
  });

  it('stays below the limit however long the lists are, and says what is left out', () => {
    for (const count of [1, 60, 500, 5000]) {
      const comparison = comparisonOf(
        Array.from({ length: count }, (_, index) => `${HOSTILE[index % HOSTILE.length]}`),
      );
      const text = renderMarkdown(comparison);
      expect(text.length, String(count)).to.be.at.most(LONGEST_COMMENT);
      const shown = text.split('\n').filter((line) => line.startsWith('|')).length;
      const left = [...text.matchAll(/^\| … and (\d+) more/gm)].reduce(
        (sum, [, more]) => sum + Number(more),
        0,
      );
      const told = [...text.matchAll(/<summary>\w[\w ]* \((\d+)\)/g)].reduce(
        (sum, [, rows]) => sum + Number(rows),
        0,
      );
      const cut = [...text.matchAll(/^\| … and/gm)].length;
      const tables = [...text.matchAll(/^\| --- /gm)].length;
      expect(shown - 2 * tables - cut + left, String(count)).to.equal(told);
      if (count >= 500) expect(cut).to.be.above(0);
    }
  });

  it('cuts the longest table first', () => {
    const { stages, ...rest } = comparisonOf(Array.from({ length: 900 }, (_, index) => `name ${index}`));
    const text = renderMarkdown({
      ...rest,
      stages,
      budget: rest.budget.slice(0, 3),
      diagnostics: { added: [], removed: [] },
    });
    expect(text).to.match(/Settings \(\d+\)/);
    const short = renderMarkdown({
      ...rest,
      stages: stages.map((one) => ({ ...one, requires: { added: [], removed: [] } })),
      budget: rest.budget.slice(0, 3),
    });
    const requirements = short.slice(
      short.indexOf('Requirements'),
      short.indexOf('</details>', short.indexOf('Requirements')),
    );
    expect(requirements).to.not.contain('… and');
    expect(text.length).to.be.within(LONGEST_COMMENT - 2000, LONGEST_COMMENT);
  });

  it('names the errors of a pipeline that cannot be planned', () => {
    const place = { file: 'legal.ftp', line: 3, column: 7, endLine: 3, endColumn: 9 };
    const found = HOSTILE.map((message) => ({
      code: 'FTP0201',
      severity: 'error' as const,
      message,
      fixes: [],
      ...place,
    }));
    const text = renderFailure('legal.ftp', found);
    expect(text).to.match(
      /^<!-- ftpc-plan: legal.ftp -->\n\*\*`legal.ftp`\*\*: cannot be planned, 18 errors\n/,
    );
    expect(outsideCode(text)).to.not.match(/@|#|http|<script/);
    const many = renderFailure('legal.ftp', Array.from({ length: 200 }, () => found).flat());
    expect(many.length).to.be.at.most(LONGEST_COMMENT);
  });
});

describe(`a pipeline of 500 stages against a commit${noGit === undefined ? '' : ` (skipped: ${noGit})`}`, () => {
  before(function () {
    if (noGit !== undefined) this.skip();
  });

  it('makes a comment that GitHub takes', async () => {
    const work = workingFolder();
    work.git('init', '-q', '-b', 'main');
    work.write('rows.jsonl', '{"instruction":"a","output":"b"}\n');
    const block = (index: number, seed: number): string =>
      `data a_stage_with_a_rather_long_name_${index} {\n  source = jsonl("rows.jsonl")\n  split = { train: 80%, valid: 10%, test: 10%, seed: ${seed} }\n  require rows >= ${seed}\n}\n`;
    const text = (seed: number): string =>
      `edition 2026\nimport { jsonl } from "std/data"\n${Array.from({ length: 500 }, (_, index) => block(index, 1000 * seed + index)).join('')}`;
    work.write('pipe.ftp', text(1));
    work.commit();
    work.write('pipe.ftp', text(2));
    const { comparison } = await work.against();
    work.remove();
    const markdown = renderMarkdown(comparison);
    expect(comparison.stages).to.have.lengthOf(500);
    expect(markdown).to.contain('500 of 500 stages rerun, 500 settings changed, 500 requirements changed');
    expect(markdown.length).to.be.within(LONGEST_COMMENT - 3000, LONGEST_COMMENT);
  });
});

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { countText, prettyDiagnostic } from '../../../src/language/diagnostics/render/index.js';
import { plain } from '../../../src/language/diagnostics/render/pretty.js';
import { isError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type CheckResult, checkFile } from '../../../src/language/lint/check-file.js';
import { applyFixes } from '../../../src/language/lint/fix.js';
import { unifiedDiff } from '../../../src/tools/cli/fix/fix.js';
import { expectGolden } from '../../helpers/golden.js';

const folder = 'test/language/mistakes';
const host = nodeHost(join(nodeHost().packageFolder, folder));
const files = readdirSync(host.cwd)
  .filter((name) => name.endsWith('.ftp'))
  .sort();
const WIDTH = 80;

/** As `ftpc check` prints it on a terminal: advice waits until there is no error. */
function shown({ diagnostics, sources }: CheckResult): string {
  const failed = diagnostics.some(isError);
  const found = diagnostics.filter((one) => !failed || one.rule === undefined || isError(one));
  return [
    ...found.map((one) => `${prettyDiagnostic(one, sources, plain, WIDTH).trimEnd()}\n`),
    found.length === 0 ? 'ok' : countText(found),
  ].join('\n');
}

/** What was written first: `// From YAML: …` */
const title = (file: string): string => /^\/\/ (.*)\n/.exec(host.readText(join(host.cwd, file)))?.[1] ?? '';

/** The message a mistake gets, and the file after `check --fix`, and where it is another, after `check --fix-all`. */
function page(file: string): string {
  const seen = new Set<string>();
  const fixes = (['--fix', '--fix-all'] as const).flatMap((option) => {
    const { files: changed, after } = applyFixes(host, file, { guesses: option === '--fix-all' });
    const diff = changed.map(unifiedDiff).join('').trimEnd();
    if (diff === '' || seen.has(diff)) return [];
    seen.add(diff);
    return [`\n$ ftpc check ${option} ${file}\n${diff}\n${shown(after)}`];
  });
  return `${title(file)}\n\n$ ftpc check ${file}\n${[shown(checkFile(host, file)), ...fixes].join('\n')}\n`;
}

describe('mistakes of newcomers', () => {
  it('are many, each with its habit', () => {
    expect(files).to.have.length.above(60);
    expect(files.filter((file) => title(file) === '')).to.deep.equal([]);
  });

  for (const file of files)
    it(`${basename(file, '.ftp')}: one error, which says how to mend it`, () => {
      const text = page(file);
      expectGolden(`${folder}/${basename(file, '.ftp')}.golden`, text);
      const { diagnostics } = checkFile(host, file);
      const errors = diagnostics.filter(isError);
      const worst = errors.length > 0 ? errors : diagnostics;
      const places = Number(/\((\d+) places\)/.exec(title(file))?.[1] ?? 1);
      expect(worst, 'one mistake, one message').to.have.length(places);
      for (const { help, fixes = [], label = '' } of worst)
        expect(help !== undefined || fixes.length > 0 || label.startsWith('must be'), 'how').to.equal(true);
      const wide = text.split('\n').filter((line) => line.length > WIDTH && !/^[-+ ]/.test(line));
      expect(wide).to.deep.equal([]);
    });
});

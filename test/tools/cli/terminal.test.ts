/** Diagnostics on a real pseudo-terminal, read back from the screen that a terminal makes of them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import xterm, { type IBufferLine } from '@xterm/headless';
import { expect } from 'chai';
import { FTPC, freshFolder } from './folders.js';

/** util-linux's; others take other options. */
const hasScript = (spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '').includes(
  'util-linux',
);

const FAR = 'x'.repeat(150);
/** What is marked stands behind wide signs, behind tabs, and far to the right. */
const TEXT = `edition 2026

import { jsonl } from "std/data"

data rows {
  source = jsonl("データ/契約書.jsonl"), limt = 3
}

data tabbed {
\tsource\t=\tjsonl("rows.jsonl")
\tlimit\t=\t"zehn" // 👩‍👩‍👧 十
}

data far {
  source = jsonl("rows.jsonl")
  split = { train: 90%, test: 10%, by: "${FAR}", sede: 5 } // ${FAR}
}
`;

describe('a terminal', () => {
  if (!hasScript) return it.skip('there is no `script` of util-linux here, which makes a pseudo-terminal');
  const folder = freshFolder();
  before(() => {
    writeFileSync(join(folder, 'rows.jsonl'), '{"instruction":"a","output":"b"}\n');
    writeFileSync(join(folder, 'wide.ftp'), TEXT);
  });

  for (const columns of [40, 80])
    it(`of ${columns} columns shows what is marked above its marks, and breaks no line`, async () => {
      const lines = await screen(folder, columns, 'check wide.ftp');
      const texts = lines.map((line) => line.translateToString(true));
      const broken = lines.flatMap(({ isWrapped }, index) => (isWrapped ? [texts[index]] : []));
      expect(broken, texts.join('\n')).to.deep.equal([]);
      const marked = lines.flatMap((_, index) => {
        const marks = /^ *\| +(\^+)/.exec(texts[index] ?? '');
        const before = lines[index - 1];
        if (marks === null || before === undefined) return [];
        const [end, length] = [marks[0].length, marks[1]?.length ?? 0];
        return [cells(before, end - length, end)];
      });
      expect(marked, texts.join('\n')).to.include.members(['limt', '"zehn"', 'sede']);
      expect(marked.filter((text) => text.trim() === '')).to.deep.equal([]);
      expect(texts.join('\n')).to.contain('error[FTP').and.not.contain('\ufffd');
    });
});

/** The lines of the screen after a command, colours and all. */
async function screen(folder: string, columns: number, words: string): Promise<readonly IBufferLine[]> {
  const command = `stty cols ${columns} rows 50; '${process.execPath}' '${FTPC}' ${words}; true`;
  const printed = execFileSync('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: {
      ...process.env,
      TERM: 'xterm-256color',
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      CI: undefined,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(printed.includes('\u001b['), 'it is coloured').to.equal(true);
  const terminal = new xterm.Terminal({ cols: columns, rows: 50, scrollback: 1000, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(printed, done));
  const { active } = terminal.buffer;
  return Array.from({ length: active.length }, (_, index) => active.getLine(index)).filter(
    (line) => line !== undefined,
  );
}

/** What stands in the columns from `start` to `end`. */
const cells = (line: IBufferLine, start: number, end: number): string =>
  Array.from({ length: end - start }, (_, at) => line.getCell(start + at)?.getChars() ?? '').join('');

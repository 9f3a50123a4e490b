import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { graphOf, svgFile } from '../../../src/tools/insight/graph/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { ftpc } from '../cli/folders.js';
import { writeFinishedRun } from './finished.js';
import { folderWithRuns, freshFolder, ROOT, RUNS } from './folders.js';

const PAGE = join(ROOT, 'docs/insight.md');

/** `$ ftpc …` with what it prints. */
const BLOCK = /^```text\n\$ ftpc (.*)\n([\s\S]*?)```$/gm;

/** Words of a command line; double quotes are the only ones on the page. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** Digests differ with every version of a stage, and mean nothing to a reader. */
const shapeOf = (text: string): string => text.replace(/\b[0-9a-f]{8}\b/g, '########');

describe('docs/insight.md', () => {
  const recorded = folderWithRuns();
  const planned = freshFolder();

  /** What a run with `-p smoke=true` leaves for plans to compare with, as the pipeline is today. */
  before(async () => {
    for (const { path } of [recorded, planned])
      cpSync(join(ROOT, 'pipelines'), join(path, 'pipelines'), { recursive: true });
    const words = ['plan', 'pipelines/legal.ftp', '-p', 'smoke=true', '--machine', 'cpu-8gib', '--json'];
    const { stages } = JSON.parse((await ftpc(planned.path, words)).out);
    writeFinishedRun(planned, { id: RUNS[0], pipeline: 'pipelines/legal.ftp', stages });
  });

  it('shows what the commands print @long', async () => {
    const page = readFileSync(PAGE, 'utf8');
    let text = page;
    for (const [block, line = ''] of page.matchAll(BLOCK)) {
      const words = wordsOf(line);
      const { code, out, err } = await ftpc(words[0] === 'why' ? planned.path : recorded.path, words);
      expect([code, err], line).to.deep.equal([0, '']);
      text = text.replace(block, () => `\`\`\`text\n$ ftpc ${line}\n${out.trimEnd()}\n\`\`\``);
    }
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, text);
    else expect(shapeOf(page), 'docs/insight.md (UPDATE_GOLDEN=1 writes it)').to.equal(shapeOf(text));
  });

  it('shows the picture that is drawn', async () => {
    const { program } = compile(nodeHost(ROOT), 'pipelines/legal.ftp');
    if (program === undefined) throw new Error('the pipeline has errors');
    expectGolden('docs/insight/legal.svg', `${await svgFile(graphOf(program, { inputs: true }))}\n`);
  });
});

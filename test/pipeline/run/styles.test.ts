import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { writePipeline } from './pipelines.js';
import { finish, outputsIn } from './processes.js';
import { freshFolder } from './worlds.js';

const zephyr = readFileSync(join(nodeHost().packageFolder, 'stdlib/chat/zephyr.jinja'), 'utf8');

describe('a pipeline with a chat style', () => {
  it('writes rows in it, and the adapter, the merged model and the release take it along @long', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 2, gate: '< 1000000' });
    const file = join(cwd, 'tiny.ftp');
    const text = readFileSync(file, 'utf8').replace('template = chat()', 'template = chat(style: zephyr)');
    writeFileSync(file, text);
    const { code, lines, err } = await finish(cwd);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    const output = outputsIn(cwd, lines);
    for (const folder of [output('adapter', 'adapter'), output('fused', 'model'), output('local', 'release')])
      expect(readFileSync(join(folder, 'chat_template.jinja'), 'utf8')).to.equal(zephyr);
    const preview = await finish(cwd, ['preview', 'tiny.ftp', 'dialogs', '--rows', '1', '--json']);
    const [row] = (preview.lines[0]?.['rows'] ?? []) as readonly { readonly text: string }[];
    expect(row?.text).to.match(/^<\|user\|>\n\d+: capital of \w+\?.*\n<\|assistant\|>\n\w+/s);
  });
});

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writePipeline } from './pipelines.js';
import { start } from './processes.js';
import { freshFolder } from './worlds.js';

describe('a file that changes during a run', () => {
  it('is found before the stage begins that reads it', async () => {
    const cwd = freshFolder();
    writePipeline(cwd, { steps: 2 });
    const running = start(cwd);
    await running.until((line) => line.type === 'stage.started');
    appendFileSync(join(cwd, 'model/tokenizer.json'), '\n');
    expect((await running.ended).code).to.equal(1);
    const [said] = running.lines.filter((line) => line['code'] === 'FTP0805');
    expect(said?.['message']).to.match(
      /tokenizer\.json` changed after this run began, before stage `dialogs`/,
    );
    const finished = running.lines.filter(({ type }) => type === 'stage.finished');
    expect(finished.map((line) => line['status'])).to.deep.equal([
      'done',
      'failed',
      'blocked',
      'blocked',
      'blocked',
      'blocked',
    ]);
  });
});

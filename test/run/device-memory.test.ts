/** A device that is too small for the first choice, in a real run. */
import { expect } from 'chai';
import { whereInstalled } from '../tensor/runtimes/here.js';
import { writePipeline } from './pipelines.js';
import { start } from './processes.js';
import { freshFolder } from './worlds.js';

/** Eight rows at a time need 4.4 MiB on the device; four fit. */
const LIMIT = '3MiB';

describe('a training whose device is full', () => {
  whereInstalled('tensorflow', () => {
    it('goes on with the next choice of the ladder, which fits', async () => {
      const cwd = freshFolder();
      writePipeline(cwd, { steps: 4, fallback: '[smaller_micro_batch]' });
      const running = start(cwd, ['run', 'tiny.ftp', '--json', '--runtime', 'tensorflow'], {
        FTPC_DEVICE_MEMORY: LIMIT,
      });
      const { code, err } = await running.ended;
      const { lines } = running;
      const recoveries = lines.filter(({ type }) => type === 'recovery');
      expect(recoveries, err).to.have.length(1);
      expect(recoveries[0]).to.deep.include({
        stage: 'adapter',
        change: { microBatch: 4, accumulation: 2 },
      });
      expect(recoveries[0]?.['cause']).to.match(/out of memory on the device: \d+ bytes are asked for/);
      expect(code, err).to.equal(0);
    });
  });
}).timeout(60_000);

/** A device that is too small for the first choice, in a plan and in a real run. */
import { expect } from 'chai';
import { identityOf } from '../../../src/compute/tensor/runtimes/index.js';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import { prepare } from '../../../src/pipeline/prepare/index.js';
import { runPipeline } from '../../../src/pipeline/run/run.js';
import { whereInstalled } from '../../compute/tensor/runtimes/here.js';
import { writePipeline } from './pipelines.js';
import { calm, freshFolder, recorder, request } from './worlds.js';

/** Eight rows at a time need 2 MiB on the device if everything is recomputed; four fit. */
const LIMIT_KIB = 1920;
const LIMIT_BYTES = LIMIT_KIB * 1024;
const RUNTIME = 'tensorflow';

describe('a training whose device is full', () => {
  whereInstalled(RUNTIME, () => {
    const tiny = (): string => {
      const cwd = freshFolder();
      writePipeline(cwd, { steps: 4, fallback: '[smaller_micro_batch]', deviceMemory: `${LIMIT_KIB}KiB` });
      return cwd;
    };

    it('is planned with a choice that fits', async () => {
      const { plan: made } = await prepare(nodeHost(tiny()), {
        file: 'tiny.ftp',
        params: {},
        runtime: RUNTIME,
      });
      const { stages = [], device } = made ?? {};
      expect(device).to.include({ name: 'the CPU', availableBytes: LIMIT_BYTES });
      const { chosen, peak } = stages.find(({ kind }) => kind === 'train') ?? {};
      expect(chosen).to.include({ microBatch: 4, accumulation: 2 });
      expect(peak?.device?.high).to.be.at.most(LIMIT_BYTES);
    });

    it('goes on with the next plan of the ladder that fits', async () => {
      const cwd = tiny();
      const host = nodeHost(cwd);
      const { program } = compile(host, 'tiny.ftp');
      if (program === undefined) throw new Error('no program');
      // a plan that knows nothing of the device
      const made = await plan(program, host, { runtime: identityOf(host, RUNTIME) });
      const seen = recorder();
      const wanted = request(cwd, { program, plan: made, diagnostics: [] }, { runtime: RUNTIME });
      const { status } = await runPipeline(wanted, seen, calm);
      const recoveries = seen.events.filter(({ type }) => type === 'recovery');
      const changes = recoveries.map((event) => ('change' in event ? event.change : undefined));
      expect(changes, JSON.stringify(seen.diagnostics)).to.deep.equal([
        { logitsChunk: 128 },
        { logitsChunk: 64 },
        { recomputedAttention: 2, recomputedMlps: 1 },
        { recomputedMlps: 2, checkpointedBlocks: 1 },
        { checkpointedBlocks: 2 },
        { microBatch: 2, accumulation: 4 },
      ]);
      expect(recoveries[0])
        .to.have.property('cause')
        .that.matches(/out of memory on the device: \d+ bytes were requested/);
      expect(status, JSON.stringify(seen.diagnostics)).to.equal('done');
    });
  });
});

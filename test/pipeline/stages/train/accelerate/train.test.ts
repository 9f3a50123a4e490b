import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { AccelerateEngine } from '../../../../../src/compute/accelerate/engine.js';
import type { StepSpec, TrainSpec } from '../../../../../src/compute/accelerate/spec.js';
import { openSafetensors } from '../../../../../src/compute/models/safetensors/read.js';
import { UserError } from '../../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../../src/language/ir/events.js';
import { run } from '../../../../../src/pipeline/stages/train/run.js';
import { fixtureRows, type WorldOptions, world } from '../world.js';

const DRIVER = fileURLToPath(new URL('./fake-driver.js', import.meta.url));

describe('the train stage on ranks', function () {
  this.timeout(120_000);
  if (process.platform === 'win32') return;
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-ranks-'));
  });
  afterEach(() => {
    delete process.env['FTPC_FAKE'];
    rmSync(folder, { recursive: true, force: true });
  });

  async function trained(options: Omit<WorldOptions, 'folder'> = {}) {
    const python = join(folder, 'python');
    writeFileSync(python, `#!/bin/sh\nexec '${process.execPath}' '${DRIVER}' "$@"\n`);
    chmodSync(python, 0o755);
    const engine: AccelerateEngine = {
      ...{ python, versions: { torch: '2.15.0' }, devices: 2, offload: false },
      ...{ device: 'cpu', sharding: 'none', attention: 'sdpa' },
    };
    const events: StageEvent[] = [];
    const settings = { precision: 'f32', ...options.settings };
    const context = {
      ...world({
        folder,
        ...options,
        chosen: { sharding: 'ddp' },
        settings,
        emit: (event) => events.push(event),
      }),
      engine,
    };
    const result = await run(context);
    return { result, events, output: context.output.path };
  }

  const scratch = (name: string): string => join(folder, 'work/.unfinished-scratch', name);
  const read = (path: string): string => readFileSync(path, 'utf8');

  it('tells them rows, steps and the first adapter, and takes what they leave for its result', async () => {
    const { result, events, output } = await trained();
    const spec = JSON.parse(read(scratch('spec.json'))) as TrainSpec;
    expect(spec).to.deep.include({
      ...{ version: 1, world: 2, device: 'cpu', precision: 'f32', trained: 'adapter', total_steps: 12 },
      ...{ sharding: { kind: 'ddp', offload: false }, versions: { torch: '2.15.0' }, clip: 1 },
      padding: { limit: 128, bucket: 32 },
    });
    const rows = openSafetensors(nodeHost(), spec.rows.file);
    const ids = rows.tensors.get('ids');
    expect(ids && [...new Int32Array(rows.read(ids).buffer, 0, ids.shape[0])]).to.deep.equal(
      fixtureRows().flatMap((row) => row.ids),
    );
    const steps = read(spec.steps).trimEnd().split('\n');
    const first = JSON.parse(steps[0] ?? '') as StepSpec;
    expect(steps).to.have.length(12);
    expect(first.micro.map((sequences) => sequences.length)).to.deep.equal([2, 2]);
    expect(events.find((event) => event.type === 'stage.progress' && event.step === 1)).to.deep.include({
      ...{ step: 1, total: 12, loss: 3, ranks: 2, memory: [{ allocated: 1000, reserved: 2000 }] },
    });
    expect(result.metrics).to.include({ steps: 12, valid_loss: 1.5 });
    for (const name of ['best', 'last'])
      expect(readFileSync(join(output, `adapter/${name}/adapter_model.safetensors`))).to.deep.equal(
        readFileSync(scratch('adapter/adapter_model.safetensors')),
      );
    expect(JSON.parse(read(join(output, 'training.json')))).to.include({ method: 'lora', ended: 'steps' });
  });

  it('goes on with less at a time where they find no memory', async () => {
    process.env['FTPC_FAKE'] = 'memory';
    const { events } = await trained();
    const changes = events.flatMap((event) => (event.type === 'recovery' ? [event.change] : []));
    expect(changes.at(-1)).to.deep.include({ microBatch: 1 });
    expect(events.some((event) => event.type === 'stage.progress' && event.step === 12)).to.equal(true);
  });

  it('says what the embedded engine says of a loss that is not a number', async () => {
    process.env['FTPC_FAKE'] = 'nan';
    const error = await trained().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof UserError)) throw error;
    expect(error.diagnostic).to.include({
      code: 'FTP0851',
      message: 'the loss of step 3 is not a number: training cannot continue',
    });
  });
});

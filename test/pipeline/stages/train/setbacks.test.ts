import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import type { Value } from '../../../../src/language/ir/program.js';
import { run } from '../../../../src/pipeline/stages/train/run.js';
import { type WorldOptions, world } from './world.js';

describe('a training that diverges', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-diverging-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const diverging = (divergence?: Value): Pick<WorldOptions, 'settings' | 'chosen'> => ({
    chosen: { method: 'full', rank: 0, alpha: 0 },
    settings: {
      optimizer: {
        call: 'adamw',
        args: { rate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, clip: 1, loraplus_ratio: 1 },
      },
      stop: { epochs: 6 },
      ...(divergence !== undefined && { watch: { divergence } }),
    },
  });
  const recover = (rate: number, times: number): Value => ({ call: 'recover', args: { rate, times } });

  interface Tried {
    readonly error: unknown;
    readonly events: readonly StageEvent[];
    file(name: string): Buffer;
  }

  async function tried(options: Omit<WorldOptions, 'folder'>, name = 'one'): Promise<Tried> {
    const events: StageEvent[] = [];
    const context = world({
      ...options,
      folder: join(folder, name),
      emit: (event) => {
        events.push(event);
        options.emit?.(event);
      },
    });
    const error = await run(context).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { error, events, file: (path) => readFileSync(join(context.output.path, path)) };
  }

  const setbacks = ({ events }: Tried) =>
    events.flatMap((each) => (each.type === 'recovery' ? [each.change] : []));

  it('ends with an error that says from where to where the loss has risen', async () => {
    const { error } = await tried(diverging());
    expect(error).to.be.instanceOf(UserError);
    const { code, message } = (error as UserError).diagnostic;
    expect(code).to.equal('FTP0854');
    expect(message).to.match(/running median/);
  });

  it('goes on with a note where the file says so', async () => {
    const { error, events } = await tried(diverging('warn'));
    expect(error).to.equal(undefined);
    expect(
      events.some((each) => each.type === 'note' && each.text.includes('rate may be too high')),
    ).to.equal(true);
  });

  it('goes back to a good checkpoint, and on with a lower rate', async () => {
    const done = await tried(diverging(recover(0.01, 2)));
    expect(done.error).to.equal(undefined);
    const [change, ...others] = setbacks(done);
    expect(others).to.deep.equal([]);
    expect(change?.['rate']).to.equal('1%');
    const from = Number(change?.['from_step']);
    const rates = done.events.flatMap((each) =>
      each.type === 'stage.progress' && each.learningRate !== undefined
        ? [[each.step, each.learningRate]]
        : [],
    );
    const [last] = rates.slice(-1);
    expect(last).to.deep.equal([36, 0.01]);
    expect(rates.filter(([step]) => step === from + 1).map(([, rate]) => rate)).to.deep.equal([1, 0.01]);
  });

  it('ends where it has gone back often enough', async () => {
    const done = await tried(diverging(recover(0.9, 2)));
    const { code, notes, help } = (done.error as UserError).diagnostic;
    expect(code).to.equal('FTP0854');
    expect(notes?.at(-1)).to.equal(
      'it had gone back to a good checkpoint 2 times, each time with a lower rate',
    );
    expect(help).to.include('more `times`');
    expect(setbacks(done).length).to.equal(2);
  });

  it('is the same training when it was stopped after it went back', async () => {
    const options = diverging(recover(0.01, 2));
    const whole = await tried(options);
    const controller = new AbortController();
    let wentBack = false;
    const emit = (event: StageEvent): void => {
      wentBack ||= event.type === 'recovery';
      if (wentBack && event.type === 'stage.progress' && event.step === 30)
        controller.abort(new Error('stop'));
    };
    const stopped = await tried({ ...options, signal: controller.signal, emit }, 'two');
    expect(stopped.error).to.equal(controller.signal.reason);
    const resumed = await tried({ ...options, output: 'again' }, 'two');
    expect(setbacks(resumed)).to.deep.equal([]);
    const tensors = 'model/last/model.safetensors';
    expect(resumed.file(tensors).equals(whole.file(tensors))).to.equal(true);
  });
});

/** Runs the driver as its parent does: a process per rank, events on stdout. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../../src/compute/accelerate/free-port.js';
import { RANK_EVENT, type RankEvent, type RankEventOf } from '../../../src/compute/accelerate/spec.js';
import { TRAINING_STATE, type TrainingState } from '../../../src/compute/training/state.js';
import { tryJson } from '../../../src/language/host/json.js';
import { host } from '../../compute/training/fixture.js';
import { PYTHON } from '../python.js';

export interface Driven {
  /** Of every rank. */
  readonly codes: readonly (number | null)[];
  /** What rank 0 said; every line is an event. */
  readonly events: readonly RankEvent[];
  readonly errors: readonly RankEventOf<'error'>[];
}

export interface DriveOptions {
  /** Called with every event of rank 0; what it gives is sent to every rank's stdin. */
  readonly answer?: (event: RankEvent) => string | 'SIGTERM' | 'end' | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function drive(
  folder: string,
  world = 1,
  { answer, environment }: DriveOptions = {},
): Promise<Driven> {
  const port = String(await freePort());
  const events: RankEvent[][] = Array.from({ length: world }, () => []);
  const started = events.map((own, rank) => {
    const child = spawn(PYTHON ?? 'python3', ['-m', 'ftpc_driver', 'train', join(folder, 'spec.json')], {
      env: {
        ...process.env,
        ...{
          PYTHONPATH: join(host.packageFolder, 'python'),
          HF_HUB_OFFLINE: '1',
          OMP_NUM_THREADS: '1',
          FTPC_PARENT: '1',
        },
        ...{ RANK: String(rank), LOCAL_RANK: String(rank), WORLD_SIZE: String(world) },
        ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: port, ...environment },
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => {});
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = tryJson(RANK_EVENT, line);
        if (event === undefined) throw new Error(`not an event: ${line}`);
        own.push(event);
        const said = rank === 0 ? answer?.(event) : undefined;
        if (said !== undefined) tell(said);
      }
    });
    return child;
  });
  const tell = (said: string): void => {
    for (const child of started)
      if (said === 'SIGTERM') child.kill('SIGTERM');
      else if (said === 'end') child.stdin.end();
      else child.stdin.write(said);
  };
  const codes = await Promise.all(
    started.map(async (child) => ((await once(child, 'close')) as [number | null])[0]),
  );
  return {
    codes,
    events: events[0] ?? [],
    errors: events.flat().filter(({ event }) => event === 'error') as RankEventOf<'error'>[],
  };
}

/** As {@link drive}, for what is to come to its end. */
export async function driven(folder: string, world = 1): Promise<TrainingState> {
  const { codes, errors, events } = await drive(folder, world);
  expect(errors.map(({ message, trace }) => `${message} ${trace ?? ''}`)).to.deep.equal([]);
  expect(codes).to.deep.equal(codes.map(() => 0));
  expect(events.at(-1)?.event).to.equal('done');
  return stateOf(folder);
}

export function stateOf(folder: string): TrainingState {
  const state = tryJson(TRAINING_STATE, readFileSync(join(folder, 'result', 'state.json'), 'utf8'));
  if (state === undefined) throw new Error('the state is not as the embedded engine writes it');
  return state;
}

/** Largest relative difference of two histories. */
export function lossesApart(
  found: readonly { readonly loss: number }[],
  expected: readonly { readonly loss: number }[],
): number {
  expect(found.length).to.equal(expected.length);
  return expected.reduce(
    (worst, { loss }, step) => Math.max(worst, Math.abs((found[step]?.loss ?? Number.NaN) / loss - 1)),
    0,
  );
}

/** The same train stage by both engines, and how far apart they end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AccelerateEngine } from '../../../src/compute/accelerate/engine.js';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import type { PreferenceFigures } from '../../../src/compute/training/state.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../src/language/ir/events.js';
import { run } from '../../../src/pipeline/stages/train/run.js';
import { type WorldOptions, world } from '../../pipeline/stages/train/world.js';

const host = nodeHost();

export interface TrainOptions extends Omit<WorldOptions, 'folder' | 'emit'> {
  /** Told of each step. */
  heard?(step: number): void;
  /** Told of all. */
  told?(event: StageEvent): void;
}

export interface Trained {
  readonly events: readonly StageEvent[];
  /** Absolute path of an output's file. */
  path(name: string): string;
}

/** Folders of the tests of a suite, which are removed after it. */
export function testFolders(): (name: string) => string {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ftpc-accelerate-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));
  return (name) => mkdtempSync(join(root, `${name}-`));
}

export async function trained(
  folder: string,
  options: TrainOptions,
  engine?: AccelerateEngine,
): Promise<Trained> {
  const events: StageEvent[] = [];
  const emit = (event: StageEvent): void => {
    events.push(event);
    options.told?.(event);
    if (event.type === 'stage.progress' && event.step !== undefined) options.heard?.(event.step);
  };
  // how ranks share a model is in the plan
  const sharding = engine === undefined || engine.sharding === 'none' ? undefined : engine.sharding;
  const chosen = { ...options.chosen, ...(sharding === undefined ? {} : { sharding }) };
  const context = { ...world({ folder, ...options, chosen, emit }), engine };
  await run(context);
  return { events, path: (name) => join(context.output.path, name) };
}

export const lossesOf = ({ events }: Trained): readonly number[] =>
  events.flatMap((event) =>
    event.type === 'stage.progress' && event.step !== undefined ? (event.loss ?? Number.NaN) : [],
  );

/** What steps say of preferences. */
const figuresOf = ({ events }: Trained) =>
  events.flatMap((event) =>
    event.type === 'stage.progress' && event.step !== undefined ? [event.preference] : [],
  );

export const stepsOf = ({ events }: Trained): readonly number[] =>
  events.flatMap((event) => (event.type === 'stage.progress' ? (event.step ?? []) : []));

const validationsOf = ({ events }: Trained) =>
  events.flatMap((event) => (event.type === 'validation' ? [event] : []));

/** Largest difference of two files' tensors, over the largest value of the first one's. */
export function apart(one: string, other: string): number {
  const [a, b] = [openSafetensors(host, one), openSafetensors(host, other)];
  expect([...b.tensors.keys()].sort()).to.deep.equal([...a.tensors.keys()].sort());
  let worst = 0;
  for (const [name, entry] of a.tensors) {
    const found = b.tensors.get(name);
    expect(found?.shape, name).to.deep.equal(entry.shape);
    if (found === undefined) continue;
    const [x, y] = [floats(a.read(entry)), floats(b.read(found))];
    const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    for (const [i, value] of x.entries())
      worst = Math.max(worst, Math.abs(value - (y[i] ?? Number.NaN)) / largest);
  }
  return worst;
}

const floats = (bytes: Uint8Array): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export interface Tolerance {
  /** The first step that is compared. */
  readonly from?: number;
  /** Largest difference of a tensor over its largest value; AdamW makes much of rounding where gradients are tiny. */
  readonly tensors?: number;
  /** Largest relative difference of a loss. */
  readonly losses?: number;
}

/** Where nothing is learned yet, rounding says which of two answers is the better one. */
function withoutTies<F extends PreferenceFigures | undefined>(found: F, expected: F): [F, F] {
  const { chosen = 1, rejected = 1 } = expected ?? {};
  const isTied = Math.max(Math.abs(chosen), Math.abs(rejected)) < 1e-5;
  return isTied
    ? [found && { ...found, accuracy: 0 }, expected && { ...expected, accuracy: 0 }]
    : [found, expected];
}

/** Figures by their names, within 1e-5. */
function expectNear(
  found: Readonly<Record<string, number | undefined>> = {},
  expected: Readonly<Record<string, number | undefined>> = {},
  what: string,
): void {
  expect(Object.keys(found).sort(), what).to.deep.equal(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected))
    if (value !== undefined) expect(found[name], `${what}: ${name}`).to.be.closeTo(value, 1e-5);
}

/** Every step's loss, every validation, the best step and the tensors of both states. */
export function expectEqual(
  found: Trained,
  expected: Trained,
  file: string,
  { from = 1, tensors = 1e-4, losses: near = 1e-5 }: Tolerance = {},
): void {
  const [losses, wanted] = [lossesOf(found), lossesOf(expected).slice(from - 1)];
  expect(losses.length, 'steps').to.equal(wanted.length);
  for (const [step, loss] of wanted.entries())
    expect(Math.abs((losses[step] ?? Number.NaN) / loss - 1), `loss of step ${from + step}`).to.be.below(
      near,
    );
  const figures = figuresOf(found);
  for (const [at, wanted] of figuresOf(expected)
    .slice(from - 1)
    .entries())
    expectNear(...withoutTies(figures[at], wanted), `figures of step ${from + at}`);
  const [validations, measured] = [
    validationsOf(found),
    validationsOf(expected).filter(({ step }) => step >= from),
  ];
  expect(validations.map(({ step, best }) => ({ step, best }))).to.deep.equal(
    measured.map(({ step, best }) => ({ step, best })),
  );
  for (const [
    index,
    { loss, metrics: { perplexity: _, ...metrics } = {}, repetition },
  ] of measured.entries()) {
    const found = validations[index];
    expect(Math.abs((found?.loss ?? Number.NaN) / loss - 1), 'validation').to.be.below(near);
    const { perplexity: __, ...answered } = found?.metrics ?? {};
    expectNear(answered, metrics, 'answers');
    expect(found?.repetition, 'answers').to.deep.equal(repetition);
  }
  for (const state of ['best', 'last'])
    expect(
      apart(expected.path(file.replace('*', state)), found.path(file.replace('*', state))),
      state,
    ).to.be.below(tensors);
}

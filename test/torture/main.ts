/**
 * `npm run test:torture -- [KIND…] [--seed N] [--count N] [--minutes N] [--short] [--only CASE,…]`: does to ftpc what years do,
 * and counts what it survives. Ends with 1 if anything was lost.
 */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { columns } from '../../src/pipeline/planner/render/columns.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';
import { type Tally, torture } from './torture.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    count: { type: 'string' },
    only: { type: 'string' },
    minutes: { type: 'string' },
    short: { type: 'boolean' },
    lanes: { type: 'string' },
  },
});
const seed = Number(values.seed ?? 1);
const lanes = Number(values.lanes ?? Math.min(4, availableParallelism()));
/** Shared among the kinds; what one leaves is for the others. */
const minutes = Number(values.minutes ?? Number.POSITIVE_INFINITY);
const unknown = positionals.filter((name) => !Object.hasOwn(KINDS, name));
if (unknown.length > 0 || [seed, lanes, minutes].some(Number.isNaN)) {
  console.error(`usage: npm run test:torture -- [KIND…] [--seed N] [--count N] [--minutes N] [--short]`);
  for (const [name, { doc }] of Object.entries(KINDS)) console.error(`  ${name.padEnd(10)} ${doc}`);
  process.exit(2);
}

const chosen = Object.entries<Kind>(KINDS).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
const top = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-torture-')));
mkdirSync(join(top, 'shared'));
// another user has to reach what is in it
chmodSync(top, 0o755);
process.on('exit', () => rmSync(top, { recursive: true, force: true }));
/** Ctrl-C lets what has begun end, and shows what was tried until then; a second one does not wait. */
const stop = new AbortController();
process.on('SIGINT', () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
process.on('SIGTERM', () => process.exit(143));
const shared = join(top, 'shared');
const tallies: (readonly [name: string, tally: Tally])[] = [];
const end = performance.now() + minutes * 60_000;
for (const [at, [name, kind]] of chosen.entries()) {
  if (stop.signal.aborted) break;
  const missing = kind.missing?.();
  if (missing !== undefined) {
    console.log(`${name}: not run: ${missing}`);
    continue;
  }
  const count = values.count === undefined ? (values.short ? kind.short : kind.count) : Number(values.count);
  const only = values.only?.split(',').map(Number);
  const folder = join(top, name);
  mkdirSync(folder);
  const begun = performance.now();
  const until = begun + (end - begun) / (chosen.length - at);
  try {
    const tally = await torture(kind, { seed, count, folder, shared, only, lanes, until, stop: stop.signal });
    tallies.push([name, tally]);
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(`${name}: ${tally.tried} tried, ${tally.losses.length} lost, ${seconds} s`);
    for (const { number, what } of tally.losses.slice(0, 10)) console.log(`  case ${number}: ${what}`);
    const [first] = tally.losses;
    if (first !== undefined)
      console.log(
        `  again: npm run test:torture -- ${name} --seed ${seed} --count ${count} --only ${first.number}`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const rows = tallies.map(([name, { tried, losses }]) => [name, tried, tried - losses.length, losses.length]);
const titles = ['kind', 'tried', 'survived', 'lost'];
console.log(`\n${columns([titles, ...rows.map((row) => row.map(String))], { right: [1, 2, 3] }).join('\n')}`);
const lost = tallies.reduce((sum, [, { losses }]) => sum + losses.length, 0);
console.log(`seed ${seed}: ${lost === 0 ? 'nothing lost' : `${lost} lost`}`);
process.exitCode = lost === 0 ? 0 : 1;

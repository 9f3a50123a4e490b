/**
 * `npm run bench [-- language data shapes training preferences runtimes memory plans weights quantise exports gpu ranks serve generation load choices 7b 13b]`:
 * a table each, with ratios against a peer measured in the same run. Options are those of the single benchmarks:
 * `--only TEXT` of all, `--quick` of `serve`, `data`, `shapes`, `exports` and `load`, `--quick` and `--steps N` of `training`,
 * `preferences` and `runtimes`, `--repeats N` of `training`, `preferences`, `memory`, `quantise`, `generation` and
 * `choices`, `--cpu` of `gpu`, `--published` of `plans`.
 */
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.js';

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  shapes: async () => (await import('./shapes/table.js')).shapes,
  data: async () => (await import('./data/table.js')).data,
  language: async () => (await import('./language/table.js')).language,
  training: async () => (await import('./training/table.js')).training,
  preferences: async () => (await import('./preferences/table.js')).preferences,
  runtimes: async () => (await import('./runtimes/table.js')).runtimes,
  memory: async () => (await import('./memory/table.js')).memory,
  plans: async () => (await import('./plans/table.js')).plans,
  gpu: async () => (await import('./gpu/table.js')).gpu,
  ranks: async () => (await import('./ranks/table.js')).ranks,
  serve: async () => (await import('./serve/table.js')).serve,
  generation: async () => (await import('./serve/generation.js')).generation,
  load: async () => (await import('./serve/load.js')).load,
  quantise: async () => (await import('./quantise/table.js')).quantise,
  exports: async () => (await import('./quantise/exports.js')).exports,
  choices: async () => (await import('./choices/table.js')).choices,
  weights: async () => (await import('./weights/table.js')).weights,
  '7b': async () => (await import('./large/table.js')).large('7b'),
  '13b': async () => (await import('./large/table.js')).large('13b'),
};

/** They write tens of gigabytes: only where they are asked for. */
const LARGE: ReadonlySet<string> = new Set(['7b', '13b']);

const USUAL = Object.keys(benchmarks).filter((name) => !LARGE.has(name));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ steps: { type: 'string' }, repeats: { type: 'string' }, only: { type: 'string' } },
    ...{ quick: { type: 'boolean' }, cpu: { type: 'boolean' }, published: { type: 'boolean' } },
  },
});
for (const name of positionals.length > 0 ? positionals : USUAL) {
  const benchmark = benchmarks[name];
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}: ${Object.keys(benchmarks)}`);
  const lines = await benchmark();
  console.log(`${name}\n`);
  for await (const line of lines(values)) console.log(line);
  console.log();
}

/**
 * `npm run bench [-- language steps]`: a table each, with ratios against a peer measured in the same run. Options are
 * those of the single benchmarks: `--steps N` and `--only TEXT` of `steps`.
 */
import { parseArgs } from 'node:util';

export interface BenchmarkOptions {
  readonly steps?: string;
  /** Cases whose name holds this text. */
  readonly only?: string;
}

type Benchmark = (options: BenchmarkOptions) => Promise<readonly string[]>;

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  language: async () => (await import('./language/table.js')).language,
  steps: async () => (await import('./steps.js')).steps,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string' }, only: { type: 'string' } },
});
for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
  const benchmark = benchmarks[name];
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}: ${Object.keys(benchmarks)}`);
  const lines = await (await benchmark())(values);
  console.log(`${name}\n\n${lines.join('\n')}\n`);
}

/**
 * `npm run fuzz [-- --seed N --cases N --only CASE]`: spoils the texts of the repository and looks at how they are
 * read. A case that hangs is named too: the cases run in a thread of their own, which is watched.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { columns } from '../../src/pipeline/planner/render/columns.js';
import { Fuzzer } from './fuzz.js';
import { MUTATIONS } from './mutations.js';

interface Options {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

interface Result {
  readonly number: number;
  readonly name: string;
  readonly mutation: string;
  readonly outcome: string;
  readonly problems: readonly string[];
}

/** Milliseconds without a case that ends. */
const PATIENCE = 600_000;

if (isMainThread) await watch(options());
else work(workerData as Options);

function options(): Options {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, cases: { type: 'string' }, only: { type: 'string' } },
  });
  const only = values.only === undefined ? undefined : Number(values.only);
  return {
    seed: Number(values.seed ?? 1),
    from: only ?? 0,
    to: only === undefined ? Number(values.cases ?? 20_000) : only + 1,
  };
}

function work({ seed, from, to }: Options): void {
  const fuzzer = new Fuzzer(seed);
  for (let number = from; number < to; number++) {
    const one = fuzzer.case(number);
    const { outcome, problems } = fuzzer.run(one);
    if (to === from + 1) console.log(one.text);
    parentPort?.postMessage({ number, name: one.origin.name, mutation: one.mutation, outcome, problems });
  }
}

async function watch(wanted: Options): Promise<void> {
  const counts = new Map(
    Object.keys(MUTATIONS).map((name) => [name, { same: 0, reported: 0, another: 0, wrong: 0 }]),
  );
  let last = wanted.from - 1;
  let wrong = 0;
  const tell = (text: string): void => {
    wrong++;
    console.error(`${text} (again: npm run fuzz -- --seed ${wanted.seed} --only N)`);
  };
  await new Promise<void>((done) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: wanted });
    const bark = () => {
      tell(`case ${last + 1} does not end`);
      void worker.terminate().then(() => done());
    };
    let dog = setTimeout(bark, PATIENCE);
    worker.on('message', ({ number, name, mutation, outcome, problems }: Result) => {
      clearTimeout(dog);
      dog = setTimeout(bark, PATIENCE);
      last = number;
      const count = counts.get(mutation);
      if (count !== undefined) count[problems.length > 0 ? 'wrong' : (outcome as 'same')]++;
      for (const problem of problems) tell(`case ${number}, ${name}, ${mutation}: ${problem}`);
    });
    worker.on('error', (error) => tell(`case ${last + 1}: ${error.stack}`));
    worker.on('exit', () => {
      clearTimeout(dog);
      done();
    });
  });
  const titles = ['mutation', 'same', 'reported', 'another', 'wrong'];
  const rows = [...counts].map(([name, count]) => [name, ...Object.values(count).map(String)]);
  console.log(columns([titles, ...rows], { right: [1, 2, 3, 4] }).join('\n'));
  console.log(
    `${last + 1 - wanted.from} cases of seed ${wanted.seed}: ${wrong === 0 ? 'all well' : `${wrong} wrong`}`,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}

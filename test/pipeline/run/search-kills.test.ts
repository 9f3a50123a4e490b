import { expect } from 'chai';
import { finish, stageProcess, start } from './processes.js';
import { searched, writeSearch } from './searches.js';
import { freshFolder } from './worlds.js';

const STEPS = 16;
const RUNS = 3;

/** Numbers below a limit, the same for the same seed (Park and Miller). */
function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % Math.max(1, below);
  };
}

/** Kills the process of a stage, and then the run, after so many lines each; whether the run was killed. */
async function killed(cwd: string, stageAfter: number, runAfter: number): Promise<boolean> {
  const running = start(cwd);
  const reaches = (lines: number): Promise<boolean> =>
    running
      .until(() => running.lines.length > lines)
      .then(
        () => true,
        () => false,
      );
  if (await reaches(stageAfter))
    try {
      process.kill(stageProcess(cwd), 'SIGKILL');
    } catch {
      // between two stages there is no process
    }
  const isKilled = await reaches(runAfter);
  if (isKilled) running.process.kill('SIGKILL');
  await running.ended;
  return isKilled;
}

describe('a search that is killed @long', () => {
  let expected: ReturnType<typeof searched>;
  let lines = 0;
  before(async function () {
    this.timeout(0);
    const cwd = freshFolder();
    writeSearch(cwd, STEPS);
    const whole = await finish(cwd);
    expect(whole.code, whole.err).to.equal(0);
    lines = whole.lines.length;
    expected = searched(cwd);
  });

  for (const seed of [1, 2])
    it(`wherever that is, ends with the same winner and the same tensors: seed ${seed}`, async () => {
      const cwd = freshFolder();
      writeSearch(cwd, STEPS);
      const draw = drawing(seed);
      let kills = 0;
      for (let run = 0; run < RUNS; run++) {
        const runAfter = draw(lines);
        if (await killed(cwd, draw(runAfter), runAfter)) kills += 1;
      }
      expect(kills).to.be.above(0);
      const { code, err } = await finish(cwd);
      expect(code, err).to.equal(0);
      expect(searched(cwd)).to.deep.equal(expected);
    });
});

/**
 * A search whose trials train on ranks, of which one, and then the run itself, is killed: what follows is that of one
 * that nobody disturbs.
 */
import { expect } from 'chai';
import { start } from '../../pipeline/run/processes.js';
import { searched, writeSearch } from '../../pipeline/run/searches.js';
import { freshFolder } from '../../pipeline/run/worlds.js';
import { PYTHON, withPython } from '../python.js';
import { killRank, untilGone } from './rank-processes.js';

const STEPS = 16;
const RUNS = 2;

// a rank that is killed is started again, as often as by default
const WORDS = ['run', 'tiny.ftp', '--json', '--threads', '1', '--engine', 'accelerate', '--devices', '2'];
const run = (cwd: string) => start(cwd, [...WORDS, '--python', PYTHON ?? '']);

/** Numbers below a limit, the same for the same seed (Park and Miller). */
function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % Math.max(1, below);
  };
}

/** Kills a rank, and then the run, after so many lines each; whether the run was killed. */
async function killed(cwd: string, rankAfter: number, runAfter: number): Promise<boolean> {
  const running = run(cwd);
  const reaches = (lines: number): Promise<boolean> =>
    running
      .until(() => running.lines.length > lines)
      .then(
        () => true,
        () => false,
      );
  if (await reaches(rankAfter)) killRank(cwd, rankAfter);
  const isKilled = await reaches(runAfter);
  if (isKilled) running.process.kill('SIGKILL');
  await running.ended;
  await untilGone(cwd);
  return isKilled;
}

withPython('a search on ranks that is killed @long', () => {
  if (process.platform !== 'linux') return;
  let expected: ReturnType<typeof searched>;
  let lines = 0;
  before(async function () {
    this.timeout(0);
    const cwd = freshFolder();
    writeSearch(cwd, STEPS);
    const whole = run(cwd);
    const { code, err } = await whole.ended;
    expect(code, err).to.equal(0);
    lines = whole.lines.length;
    expected = searched(cwd);
    expect(JSON.stringify(expected.record), 'some end early').to.contain('"ended"');
  });

  it('ends with the same winner and the same tensors', async () => {
    const cwd = freshFolder();
    writeSearch(cwd, STEPS);
    const draw = drawing(3);
    let kills = 0;
    for (let turn = 0; turn < RUNS; turn++) {
      const runAfter = draw(lines);
      if (await killed(cwd, draw(runAfter), runAfter)) kills += 1;
    }
    expect(kills).to.be.above(0);
    const last = run(cwd);
    const { code, err } = await last.ended;
    expect(code, err).to.equal(0);
    expect(searched(cwd)).to.deep.equal(expected);
  });
});

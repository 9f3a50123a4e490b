/** Ctrl-C on a real pseudo-terminal: what is seen, and that a loop of a shell ends with the run. */
import { spawn, spawnSync } from 'node:child_process';
import xterm from '@xterm/headless';
import { expect } from 'chai';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { FTPC, freshFolder } from './folders.js';

const version = (program: string): string =>
  spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '';
const hasTerminals = version('script').includes('util-linux') && version('bash').includes('bash');

const CTRL_C = '\x03';
const MESSAGE = 'interrupted: saving progress; interrupt again to stop at once';
const LOOP = 'for n in 1 2 3; do echo "run $n"; "$NODE" "$FTPC" run tiny.ftp; done; echo "after the loop"';

describe('Ctrl-C', () => {
  if (!hasTerminals)
    return it.skip('there is no bash, or no `script` of util-linux, which makes a pseudo-terminal');

  for (const [term, width] of [
    ['xterm-256color', 80],
    ['dumb', 100],
  ] as const)
    it(`is answered on a line of its own and ends the loop (TERM=${term})`, async () => {
      const cwd = freshFolder();
      writePipeline(cwd, { rows: 1500 });
      const { lines, printed } = await interrupted(cwd, { term, width });
      expect(lines, printed).to.include(MESSAGE);
      expect(
        lines.filter((line) => line.startsWith('run ')),
        printed,
      ).to.deep.equal(['run 1']);
      expect(printed).to.not.contain('after the loop');
    });
});

/** What a terminal shows of the loop when Ctrl-C is pressed as soon as the first stage is done. */
async function interrupted(
  cwd: string,
  { term, width }: { readonly term: string; readonly width: number },
): Promise<{ readonly lines: readonly string[]; readonly printed: string }> {
  const child = spawn('script', ['-qec', `stty cols ${width} rows 50; bash -c '${LOOP}'`, '/dev/null'], {
    cwd,
    env: { ...process.env, NODE: process.execPath, FTPC, TERM: term, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  let pressed = false;
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
    if (pressed || !/rows (?:done|runs)/.test(printed)) return;
    pressed = true;
    child.stdin.write(CTRL_C);
  });
  await new Promise((ended) => child.on('close', ended));
  const terminal = new xterm.Terminal({ cols: width, rows: 50, scrollback: 1000, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(printed, done));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, index) => active.getLine(index)).map(
    (line) => line?.translateToString(true) ?? '',
  );
  return { lines, printed };
}

/**
 * Takes the pictures of terminals and of the dashboard in docs/images: `npm run screens`. Each command really runs, in a terminal of
 * `script` (util-linux), and what xterm makes of its output is drawn as SVG. Times and memory differ from machine to
 * machine, so the pictures are taken again when the output changes, not by every build.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { drawDashboard } from './screens/dashboard.mjs';
import { svgOf } from './screens/svg.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist/bin/main.js');
/** The first has no number in its pictures' names. */
const WIDTHS = [80, 120];
/** What a progress bar begins with when it draws itself again. */
const FIRST_COLUMN = '\u001b[1G';

/**
 * name of the picture → what is done to the pipeline, what is typed, and when the picture is taken; `later`: another
 * picture, of the end.
 */
const SCREENS = {
  check: {
    prepare: (edit) =>
      edit([
        ['overflow = drop', 'overflow = dropp'],
        ['dialogs.valid', 'dialog.valid'],
        ['256tok', '256'],
        ['targets: all_linear', 'target: all_linear'],
      ]),
    typed: 'ftpc check pipelines/legal.ftp',
  },
  plan: { typed: 'ftpc plan pipelines/legal.ftp' },
  run: {
    typed: 'ftpc run pipelines/legal.ftp -p smoke=true',
    until: /3\d\/46 steps/u,
    later: 'report',
  },
  review: {
    prepare: (edit) => edit([['rank: 16', 'rank: 32']]),
    typed: 'ftpc plan pipelines/legal.ftp --against HEAD',
  },
};

const wanted = process.argv.slice(2);
for (const [name, screen] of Object.entries(SCREENS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const columns of WIDTHS) {
    const folder = pipelinesIn(mkdtempSync(join(tmpdir(), 'ftpc-screen-')));
    screen.prepare?.((pairs) => replaceIn(join(folder, 'pipelines/legal.ftp'), pairs));
    const output = record(folder, screen.typed, columns);
    rmSync(folder, { recursive: true });
    draw(name, screen.typed, await screenOf(output, columns, screen.until), columns);
    if (screen.later !== undefined)
      draw(screen.later, screen.typed, await screenOf(output, columns), columns);
  }
}
if (wanted.length === 0 || wanted.includes('dashboard')) await drawDashboard(join(root, 'docs/images'));

function draw(name, typed, lines, columns) {
  const width = columns === WIDTHS[0] ? '' : `-${columns}`;
  const file = join(root, 'docs/images', `terminal-${name}${width}.svg`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, svgOf(lines, typed));
  console.log(file);
}

/** A folder with the pipelines of this repository, committed. */
function pipelinesIn(folder) {
  cpSync(join(root, 'pipelines'), join(folder, 'pipelines'), {
    recursive: true,
    filter: (path) => !path.includes('.ftp/') && !path.endsWith('/releases'),
  });
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=ftpc', '-c', 'user.email=ftpc@example.org', ...args], {
      cwd: folder,
      stdio: 'ignore',
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'pipelines');
  return folder;
}

function replaceIn(file, pairs) {
  let text = readFileSync(file, 'utf8');
  for (const [old, replacement] of pairs) {
    if (!text.includes(old)) throw new Error(`${file} has no ${JSON.stringify(old)} to show a mistake with`);
    text = text.replace(old, replacement);
  }
  writeFileSync(file, text);
}

/** What a command writes to a terminal of this width, control sequences and all. */
function record(folder, typed, columns) {
  const command = typed.replace(/^ftpc/u, `stty cols ${columns} rows 50; '${process.execPath}' '${main}'`);
  try {
    execFileSync('script', ['-qec', command, 'typescript'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: undefined, CI: undefined },
    });
  } catch (error) {
    // A check that finds mistakes ends with 1.
    if (error.status !== 1) throw error;
  }
  const text = readFileSync(join(folder, 'typescript'), 'utf8');
  return text.replace(/^Script started[^\n]*\n/u, '').replace(/\n?Script done[^\n]*\n?$/u, '');
}

/** The lines of the terminal's cells after all of the output, or when `until` is first seen. */
async function screenOf(output, columns, until) {
  const terminal = new xterm.Terminal({ cols: columns, rows: 200, allowProposedApi: true });
  for (const part of output.split(FIRST_COLUMN)) {
    await new Promise((done) => terminal.write(part + FIRST_COLUMN, done));
    const lines = linesOf(terminal, columns);
    if (until !== undefined && lines.some((line) => until.test(line.map((cell) => cell.text).join(''))))
      return lines;
  }
  return linesOf(terminal, columns);
}

function linesOf(terminal, columns) {
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: buffer.length }, (_, y) => {
    const line = buffer.getLine(y);
    return Array.from({ length: columns }, (_, x) => {
      const cell = line.getCell(x);
      return {
        text: cell.getChars() || ' ',
        colour: cell.isFgPalette() ? cell.getFgColor() : null,
        bold: cell.isBold() !== 0,
        dim: cell.isDim() !== 0,
      };
    });
  });
  const last = lines.findLastIndex((line) => line.some((cell) => cell.text !== ' '));
  return lines.slice(0, last + 1);
}

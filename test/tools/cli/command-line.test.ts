import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { commands } from '../../../src/tools/cli/commands/index.js';
import { helpOf } from '../../../src/tools/cli/help.js';
import { leaveOut } from '../../helpers/leave-out.js';
import { fewestOpenFiles } from '../../helpers/open-files.js';
import { cliReference } from './cli-reference.js';
import { FTPC, freshFolder, ftpc } from './folders.js';

/** Rows that are read alone, and asked a model. */
const ROWS = `edition 2026

import { jsonl } from "std/data"

data rows {
  source = jsonl("rows.jsonl")
}
`;
const ASKED = `${ROWS.replace('import', 'import { perplexity } from "std/eval"\nimport { question_answer } from "std/format"\nimport')}
format dialogs {
  from = rows
  template = question_answer()
  model = starter()
}

eval quality {
  model = starter()
  dataset = dialogs.train
  metrics = [perplexity]
}
`;

describe('command line', () => {
  let folder = '';
  before(() => {
    folder = freshFolder();
  });

  it('says so where the working directory was removed', () => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec node "$0" check x.ftp';
    const { status, stderr } = spawnSync('sh', ['-c', script, FTPC], { cwd: folder, encoding: 'utf8' });
    expect(status).to.equal(1);
    expect(stderr).to.equal('error: the working directory was removed: change to one that exists\n');
  });

  it('prints its version and its help', async () => {
    const version = await ftpc(folder, ['--version']);
    expect(version).to.deep.include({ code: 0, err: '' });
    expect(version.out).to.match(/^\d+\.\d+\.\d+\n$/);
    const help = await ftpc(folder, ['--help']);
    for (const name of Object.keys(commands)) expect(help.out).to.contain(`ftpc ${name}`);
    const none = await ftpc(folder, []);
    expect(none.code).to.equal(1);
    expect(none.out).to.equal('');
  });

  it('says in its help which arguments a command needs', async () => {
    const { out } = await ftpc(folder, ['--help']);
    expect(out).to.match(/ftpc check FILE\.\. +Checks/);
    expect(out).to.match(/ftpc generate MODEL \[QUESTION\] +Answers/);
    expect(out).to.match(/ftpc fmt \[FILE\.\.\] +Formats/);
  });

  it('lays out arguments and options in columns, each option with its value', async () => {
    const command = await commands['explain']?.();
    if (command === undefined) return expect.fail('no such command');
    const lines = (await helpOf(command, 80)).split('\n');
    for (const line of lines) expect(line.length, line).to.be.at.most(80);
    const what = lines.findIndex((line) => line.startsWith('  WHAT  A code'));
    expect(lines[what - 1]).to.equal('Arguments:');
    expect(lines[what + 1]).to.match(/^ {8}\S/);
    expect(lines.join('\n'))
      .to.contain('  -p, --param NAME=VALUE ')
      .and.contain('  --engine auto|embedded|accelerate ')
      .and.contain('  --runtime NAME ');
    expect(lines.join('\n')).not.to.contain('[string]');
  });

  for (const name of Object.keys(commands))
    it(`${name} --help shows how it is used, with an example`, async () => {
      const command = await commands[name]?.();
      const { code, out } = await ftpc(folder, [name, '--help']);
      expect(code).to.equal(0);
      for (const option of Object.keys(command?.options ?? {})) expect(out).to.contain(`--${option}`);
      expect(out).to.contain(command?.examples[0]?.[0].split(' ').slice(0, 2).join(' '));
    });

  const mistakes: readonly (readonly [words: readonly string[], message: string])[] = [
    [['chek', 'x.ftp'], 'unknown command `chek`: did you mean `check`?'],
    [['train', 'x.ftp'], 'unknown command `train`: `ftpc run` does that'],
    [['check', 'x.ftp', '--jsn'], 'unknown option `--jsn`: did you mean `--json`?'],
    [['check'], '`ftpc check` needs FILE'],
    [['plan', 'x.ftp', 'y.ftp'], 'does not know what to do with `y.ftp`'],
    [['check', 'x.ftp', '-p'], '`-p` needs a value'],
    [['check', 'x.ftp', '-p', 'smoke'], '`-p` needs `name=value`'],
    [['check', 'x.ftp', '-psmoke'], '`-p` needs `name=value`, not `smoke`'],
    [['check', 'x.ftp', '--no-json'], 'unknown option `--no-json`'],
    [['check', 'x.ftp', '--constructor', '--x'], 'unknown option `--constructor`'],
    [['plan', '--', '--json', 'y.ftp'], 'does not know what to do with `y.ftp`'],
    [['plan', 'x.ftp', '--json', 'true'], 'does not know what to do with `true`'],
    [['run', 'x.ftp', '--memory', '1GiB', '--memory', '2GiB'], '`--memory` is given twice'],
    [
      ['run', 'x.ftp', '--memory', '--json'],
      '`--memory` needs a size with its unit, e.g. 24GiB, not `--json`',
    ],
    [['run', 'x.ftp', '--threads', '-1'], '`--threads` needs a whole number'],
    [['run', 'x.ftp', '--memory', '24'], '`--memory` needs a size with its unit'],
    [['plan', 'x.ftp', '--memory', '0GiB'], '`--memory` needs a size above 0'],
    [['plan', 'x.ftp', '--devices', '1000000000'], '`--devices` needs a whole number from 1 to 1024'],
    [['run', 'x.ftp', '--nodes', '1000000000'], '`--nodes` needs a whole number from 1 to 16384'],
    [['run', 'x.ftp', '--threads', '1.5'], '`--threads` needs a whole number'],
    [['generate', 'model', 'Why?', '--threads', '100000'], '`--threads` needs a whole number from 1 to 1024'],
    [['preview', 'x.ftp', 's', '--split', 'tset'], '`--split` takes `train`, `valid`, `test` or `all`'],
    [['preview', 'x.ftp', 's', '--rows', 'many'], '`--rows` needs a number'],
    [['run', 'x.ftp', '--json=yes'], '`--json` takes no value'],
    [['--jsn'], 'unknown option `--jsn`'],
    [['explain', 'FTP9999'], 'unknown code `FTP9999`'],
    [['completion', 'tcsh'], 'unknown shell `tcsh`: there are `bash`, `zsh` and `fish`'],
    [['plan', 'x.ftp', '--runtime', 'tensorflw'], 'did you mean `tensorflow`?'],
    [['runtime', 'instal'], 'unknown action `instal`: did you mean `install`?'],
    [['runtime', 'install'], 'say which: `ftpc runtime install tensorflow`'],
    [['runtime', 'remove', 'onnx'], 'ONNX Runtime is part of ftpc'],
    [['runtime', 'list', '--cpu'], '`--cpu` needs `install`'],
  ];
  for (const [words, message] of mistakes)
    it(`says what is wrong with: ftpc ${words.join(' ')}`, async () => {
      const { code, out, err } = await ftpc(folder, words);
      expect(code).to.equal(1);
      expect(out).to.equal('');
      expect(err).to.contain(message).and.to.not.contain('    at ');
    });

  for (const command of ['plan', 'run'])
    it(`${command} of a file without a stage is an error, and check of it is none`, async () => {
      writeFileSync(join(folder, 'shared.ftp'), 'edition 2026\n\nparam rank: Int = 8\n');
      expect((await ftpc(folder, ['check', 'shared.ftp'])).code).to.equal(0);
      const { code, out, err } = await ftpc(folder, [command, 'shared.ftp']);
      expect([code, out]).to.deep.equal([1, '']);
      expect(err).to.contain('error[FTP0436]').and.to.contain('--> shared.ftp:1:1');
    });

  it('shows no plan for a machine that is not known', async () => {
    writeFileSync(join(folder, 'rows.jsonl'), '{"question":"a","answer":"b"}\n');
    writeFileSync(join(folder, 'rows.ftp'), ROWS);
    const { code, out, err } = await ftpc(folder, ['plan', 'rows.ftp', '--machine', 'rtx3091']);
    expect([code, out]).to.deep.equal([1, '']);
    expect(err).to.contain('error[FTP0903]').and.to.contain('did you mean `rtx_3090`?');
  });

  it('says what computes a plan, where something does', async () => {
    writeFileSync(join(folder, 'asked.ftp'), ASKED);
    const [rows, asked] = await Promise.all(
      ['rows.ftp', 'asked.ftp'].map((file) => ftpc(folder, ['plan', file])),
    );
    expect(rows?.out).to.contain('1 to run').and.to.not.contain('Computed by');
    expect(asked?.out).to.contain('3 to run').and.to.contain('\nComputed by ');
  });

  it('colours only where it is wanted', async () => {
    const plain = await ftpc(folder, ['chek']);
    const forced = await ftpc(folder, ['chek'], { FORCE_COLOR: '1' });
    const both = await ftpc(folder, ['chek'], { FORCE_COLOR: '1', NO_COLOR: '1' });
    expect([plain, forced, both].map(({ err }) => err.includes('\u001b['))).to.deep.equal([
      false,
      true,
      false,
    ]);
  });

  it('init writes a pipeline that checks, and never over what is there', async () => {
    const made = await ftpc(folder, ['init', 'new', '--json']);
    expect(JSON.parse(made.out)).to.deep.equal({
      version: 1,
      template: 'instruction',
      files: ['new/capitals.ftp', 'new/capitals.test.ftp', 'new/data/capitals.jsonl', 'new/.gitignore'],
    });
    expect(made.err).to.contain('--template');
    writeFileSync(join(folder, 'new/capitals.ftp'), 'mine');
    const again = await ftpc(folder, ['init', 'new']);
    expect(again.code).to.equal(1);
    expect(again.err).to.contain('FTP1520').and.to.contain('already there; nothing was written');
    expect(readFileSync(join(folder, 'new/capitals.ftp'), 'utf8')).to.equal('mine');
    const near = await ftpc(folder, ['init', 'other', '--template', 'clasification']);
    expect(near.err).to.contain('did you mean `classification`?');
    const npx = { npm_command: 'exec' };
    const other = await ftpc(folder, ['init', "an other's", '--template', 'classification'], npx);
    expect(other.code).to.equal(0);
    expect(other.out).to.contain("cd 'an other'\\''s'\n  npx ftpc plan animals.ftp\n");
    const checked = await ftpc(join(folder, "an other's"), ['check', 'animals.ftp', '--json']);
    expect(JSON.parse(checked.out)).to.deep.equal({ version: 1, valid: true, diagnostics: [] });
  });

  it('init writes nothing where a file is in the place of a folder', async () => {
    mkdirSync(join(folder, 'blocked'));
    writeFileSync(join(folder, 'blocked/data'), 'mine');
    const within = await ftpc(folder, ['init', 'blocked']);
    expect([within.code, within.out]).to.deep.equal([1, '']);
    expect(within.err)
      .to.contain('FTP1520')
      .and.to.contain('`blocked/data` is already there; nothing was written');
    expect(readdirSync(join(folder, 'blocked'))).to.deep.equal(['data']);
    const beneath = await ftpc(folder, ['init', 'blocked/data/deeper']);
    expect(beneath.err).to.contain('`blocked/data` is already there');
  });

  it('init leaves a .gitignore alone', async () => {
    mkdirSync(join(folder, 'mine'));
    writeFileSync(join(folder, 'mine/.gitignore'), 'dist\n');
    const { code, out } = await ftpc(folder, ['init', 'mine', '--template', 'chat', '--json']);
    expect(code).to.equal(0);
    expect(JSON.parse(out).files).not.to.contain('mine/.gitignore');
    expect(readFileSync(join(folder, 'mine/.gitignore'), 'utf8')).to.equal('dist\n');
  });

  it('doctor uses what it reports on @long', async () => {
    const { code, out } = await ftpc(folder, ['doctor', '--engine', 'embedded', '--json']);
    const { healthy, findings } = JSON.parse(out);
    const states = Object.fromEntries(
      findings.map((finding: { name: string; state: string }) => [finding.name, finding.state]),
    );
    expect(states).to.deep.include({ node: 'ok', onnxruntime: 'ok', tokenizers: 'ok', 'write access': 'ok' });
    expect(healthy).to.equal(true);
    expect(code).to.equal(0);
  });

  /** Exit code, or the signal, of a command line of the shell in which `$ftpc` is the command; and its standard error. */
  const inShell = (line: string): readonly [number | NodeJS.Signals | null, string] => {
    const script = line.replaceAll('$ftpc', '"$0" "$1"');
    const { status, signal, stderr } = spawnSync('bash', ['-c', script, process.execPath, FTPC], {
      encoding: 'utf8',
      cwd: folder,
    });
    return [signal ?? status, stderr];
  };

  it('says so where its output goes to a disk that is full, before it begins', function () {
    if (!existsSync('/dev/full')) leaveOut(this, 'there is no /dev/full');
    for (const words of [
      'explain --json',
      '--version',
      'check missing.ftp',
      'run missing.ftp',
      'run missing.ftp --json',
    ])
      expect(inShell(`$ftpc ${words} > /dev/full`), words).to.deep.equal([
        1,
        'error[FTP0897]: standard output cannot be written: no space is left on its device\n  = help: write it to another place; a run goes on from where it was\n',
      ]);
    expect(inShell('$ftpc --version 2> /dev/full')[0]).to.equal(1);
  });

  it('does not take half an output in a file for all of it', function () {
    if (process.platform === 'win32') leaveOut(this, 'it needs a POSIX shell');
    const [code, err] = inShell('ulimit -f 4; $ftpc explain --json > limited.json');
    expect(code).to.equal(1);
    expect(err).to.contain('FTP0897').and.to.contain('the file has reached its limit');
  });

  it('ends by SIGPIPE where nobody reads on, without a word', function () {
    if (process.platform === 'win32') leaveOut(this, 'it needs a POSIX shell');
    expect(inShell('exec 3> >(true); wait $!; $ftpc explain --json >&3; exit $?')).to.deep.equal([141, '']);
  });

  it('says which limit is too low where its own files cannot be opened', function () {
    if (process.platform === 'win32') leaveOut(this, 'it needs a POSIX shell');
    const fewest = fewestOpenFiles();
    for (const more of [0, 1, 2, 10, 20, 30]) {
      const [code, err] = inShell(`ulimit -n ${fewest + more}; $ftpc plan missing.ftp`);
      expect(code, `${more}`).to.equal(1);
      expect(err, `${more}`).to.match(
        more === 0
          ? /^error\[FTP0896\]: .*`ulimit -n` is \d+.*\n {2}= help: .*ulimit -n 1024.*\n$/
          : /^error/,
      );
      expect(err, `${more}`).not.to.contain('    at ');
    }
  });

  it('writes the trace of a bug into a file and one line for the user', async () => {
    const seed = `--import=data:text/javascript,${encodeURIComponent('JSON.stringify=()=>{throw new Error("seeded")};')}`;
    const seeded = await ftpc(folder, ['explain', '--json'], { NODE_OPTIONS: seed });
    expect(seeded.code).to.equal(1);
    expect(seeded.err.trim().split('\n')).to.have.lengthOf(1);
    expect(seeded.err).to.contain('this is a bug in ftpc: seeded');
    const file = /trace: ([^)]+)\)/.exec(seeded.err)?.[1] ?? '';
    expect(readFileSync(join(folder, file), 'utf8'))
      .to.contain('Error: seeded')
      .and.to.contain('    at ');
    const debug = await ftpc(folder, ['explain', '--json'], { FTPC_DEBUG: '1', NODE_OPTIONS: seed });
    expect(debug.err).to.contain('    at ');
  });

  it('docs/cli.md is what the commands say', async () => {
    const all = await Promise.all(Object.values(commands).map((load) => load()));
    const path = join(nodeHost().packageFolder, 'docs/cli.md');
    const text = cliReference(all);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
    expect(readFileSync(path, 'utf8')).to.equal(text);
  });
});

/** Completion as shells do it: each is given its script, and asked what it offers for a line. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { commands } from '../../../src/tools/cli/commands/index.js';
import { FTPC, freshFolder } from './folders.js';

type Offer = (folder: string, line: string) => readonly string[];

const scriptOf = (shell: string): string => `ftpc.${shell}`;

/** Bash hands over its words: what stands between spaces, and equals signs by themselves. */
const bash: Offer = (folder, line) => {
  const words = line.split(/ +|(?<==)|(?==)/);
  const typed = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _ftpc; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf(
    execFileSync('bash', ['-c', `. ./${scriptOf('bash')}; ${ask}`], { cwd: folder, encoding: 'utf8' }),
  );
};

/** Zsh completes only on a terminal: it gets one, and what is added to the list is written down, too. */
const zsh: Offer = (folder, line) => {
  const offered = join(folder, 'offered');
  rmSync(offered, { force: true });
  const program = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit; compinit -D -u; source ./${scriptOf('zsh')}
compadd() {
  local -a hits
  [[ \${@[1,(i)(-|--)]} == *-[OAD]\\ * ]] || { builtin compadd -A hits "$@"; print -rl -- \${(Q)hits} >> $OFFERED }
  builtin compadd "$@"
}
offer() { BUFFER=$LINE; CURSOR=$#BUFFER; zle complete-word; BUFFER=exit; zle accept-line }
zle -N offer; bindkey "^T" offer'
zpty -w -n shell $'\\C-t'
while zpty -r shell chunk; do :; done`;
  const env = { ...process.env, LINE: line, OFFERED: offered };
  execFileSync('zsh', ['-f', '-c', program], { cwd: folder, env, timeout: 600_000 });
  return existsSync(offered) ? linesOf(readFileSync(offered, 'utf8')) : [];
};

/** A word, and after a tab what it is; after an equals sign the option stands before each word. */
const fish: Offer = (folder, line) =>
  linesOf(
    execFileSync('fish', ['-c', `source ${scriptOf('fish')}; complete -C $argv[1]`, line], {
      cwd: folder,
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder },
      encoding: 'utf8',
    }),
  ).map((found) => found.replace(/\t.*/, '').replace(/^--[^=]*=/, ''));

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

const RUNTIMES = ['auto', 'onnx', 'tensorflow', 'webgpu', 'wasm', 'cpu'];

/** What is offered for a line. */
const CASES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['ftpc ru', ['run', 'runtime']],
  ['ftpc runtime ', ['list', 'install', 'remove']],
  ['ftpc runtime in', ['install']],
  ['ftpc runtime install ', ['accelerate', 'llama.cpp', 'tensorflow', 'webgpu', 'wasm', 'cpu']],
  ['ftpc runtime install tensorflow --c', ['--cpu']],
  ['ftpc completion f', ['fish']],
  ['ftpc why a.ftp ', ['rows', 'tuned']],
  ['ftpc diff la', ['latest', 'latest~1']],
  ['ftpc logs latest~', ['latest~1']],
  ['ftpc logs 2026 di', ['dialogs']],
  ['ftpc stop 20260101', ['20260101-000000-0000']],
  ['ftpc plan --runtime ', RUNTIMES],
  ['ftpc plan --runtime=', RUNTIMES],
  ['ftpc run a.ftp --runtime=w', ['webgpu', 'wasm']],
  ['ftpc graph a.ftp --format ', ['mermaid', 'dot', 'text', 'svg']],
  ['ftpc snapshot a.ftp --mode v', ['validate']],
  ['ftpc preview a.ftp rows --split tr', ['train']],
  // Of another command, the option takes other words; these values no shell knows.
  ['ftpc plan --format m', ['markdown']],
  ['ftpc plan --memory ', []],
  ['ftpc run -p ', []],
  ['ftpc run a.ftp -p ', ['smoke=', 'speed=']],
  ['ftpc plan a.ftp --param sm', ['smoke=']],
  ['ftpc plan --machine a100_s', ['a100_sxm_40gb', 'a100_sxm_80gb']],
  ['ftpc explain FTP110', ['FTP1101', 'FTP1102', 'FTP1103']],
  ['ftpc explain no-dedup', ['no-deduplication']],
  ['ftpc explain rsl', ['rslora']],
  ['ftpc check --params a.j', ['a.json']],
];

describe('completion', () => {
  const folder = freshFolder();
  before(() => {
    for (const shell of ['bash', 'zsh', 'fish'])
      writeFileSync(
        join(folder, scriptOf(shell)),
        execFileSync(process.execPath, [FTPC, 'completion', shell], { cwd: folder }),
      );
    writeFileSync(
      join(folder, 'a.ftp'),
      'param smoke: Bool = false\nmatrix speed: Number = [1, 2]\n\ndata rows {\n}\n\ntrain tuned using lora {\n}\n',
    );
    writeFileSync(join(folder, 'a.json'), '{}');
    const run = join(folder, '.ftp/runs/20260101-000000-0000');
    mkdirSync(run, { recursive: true });
    writeFileSync(
      join(run, 'journal.jsonl'),
      ['dialogs', 'adapter'].map((stage) => `{"at":1,"type":"stage.started","stage":"${stage}"}\n`).join(''),
    );
  });

  for (const [shell, offer] of Object.entries({ bash, zsh, fish })) {
    it(`names every command and option in the script for ${shell}`, () => {
      const script = readFileSync(join(folder, scriptOf(shell)), 'utf8');
      for (const name of Object.keys(commands)) expect(script).to.contain(name);
      expect(script).to.contain('exit-code');
    });

    if (spawnSync(shell, ['-c', ':']).status !== 0) it.skip(`there is no ${shell} here`);
    else
      for (const [line, words] of CASES)
        it(`of \`${line}\` in ${shell}`, () => {
          expect(offer(folder, line)).to.have.members(words);
        });
  }
});

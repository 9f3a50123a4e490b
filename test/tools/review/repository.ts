import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openRepository } from '../../../src/tools/cli/review/git.js';
import { planAgainst } from '../../../src/tools/review/against-commit.js';
import type { MachineChoice } from '../../../src/tools/review/plan-quietly.js';
import type { Comparison, StageChange } from '../../../src/tools/review/types.js';

/** A model of 23,808 random weights with a byte tokenizer. */
const MODEL = join(nodeHost().packageFolder, 'test/fixtures/evaluation/tiny/base');

export const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"
import { ranks } from "./presets.ftp"

param rate: Number = 5e-3

data rows {
  source = jsonl("data/*.jsonl")
  dedupe = [exact]
  split = { train: 80%, valid: 10%, test: 10% }
  require rows >= 10
}

format dialogs {
  from = rows
  template = chat(system: file("prompt.md"))
  model = local("model")
  max_length = 128tok
}

train adapter using lora, ranks {
  base = local("model")
  dataset = dialogs.train
  validate = dialogs.valid
  optimizer = adamw(rate: rate)
  batch = { global: 8 }
  stop = { epochs: 2 }
}

eval quality {
  model = adapter.best
  dataset = dialogs.test
  metrics = [perplexity]
  require perplexity < 100
}

merge fused {
  base = local("model")
  adapter = adapter.best
}

budget machine {
  require peak_memory <= 1GiB
  require wall_time <= 1h
}
`;

export const PRESETS = `edition 2026

preset ranks for train {
  lora = { rank: 2, alpha: 4 }
}
`;

export const rowsText = (count: number, word = 'what'): string =>
  `${Array.from({ length: count }, (_, row) =>
    JSON.stringify({ instruction: `${row}: ${word} is it?`, output: 'x'.repeat((row % 5) + 1) }),
  ).join('\n')}\n`;

/** Why tests of git are skipped; `undefined` where git is there. */
export const noGit: string | undefined =
  spawnSync('git', ['--version']).status === 0 ? undefined : 'git is not installed';

export interface Working {
  readonly path: string;
  git(...args: readonly string[]): string;
  write(name: string, content: string): void;
  /** `from` → `to` in a file; a bug where `from` is not in it. */
  edit(name: string, from: string | RegExp, to: string): void;
  commit(message?: string): string;
  against(options?: AgainstOptions): Promise<Found>;
  remove(): void;
}

export interface AgainstOptions {
  readonly ref?: string;
  readonly file?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly machine?: MachineChoice;
  /** Folder that the command runs in. */
  readonly cwd?: string;
}

export interface Found {
  readonly comparison: Comparison;
  readonly diagnostics: readonly Diagnostic[];
  stage(name: string): StageChange;
}

const ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

/** A folder in which git can be used. */
export function workingFolder(path = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-review-')))): Working {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', path, '-c', 'protocol.file.allow=always', ...args], {
      env: ENV,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1e8,
    });
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  return {
    path,
    git,
    write,
    edit(name, from, to) {
      const host = nodeHost(path);
      const before = host.readText(join(path, name));
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${from} is not in ${name}`);
      write(name, after);
    },
    commit(message = 'change') {
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD').trim();
    },
    async against({ ref = 'HEAD', file = 'pipe.ftp', params = {}, machine = MACHINE, cwd = path } = {}) {
      const repository = openRepository(join(cwd, file), ref, file);
      const { comparison, diagnostics, now } = await planAgainst({
        host: nodeHost(cwd),
        file,
        ref,
        params,
        machine,
        repository,
      });
      if (comparison === undefined) throw new Error(now.diagnostics.map(({ message }) => message).join('\n'));
      const stage = (name: string): StageChange => {
        const found = comparison.stages.find((one) => one.name === name);
        if (found === undefined) throw new Error(`no stage ${name}`);
        return found;
      };
      return { comparison, diagnostics, stage };
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** So that what is planned does not depend on the machine that tests. */
export const MACHINE: MachineChoice = { machine: 'cpu-8gib' };

/** The pipeline with its model and rows, committed. `folder`: where in the repository it stands. */
export function pipelineRepository(folder = ''): Working {
  const working = workingFolder();
  working.git('init', '-q', '-b', 'main');
  const at = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
  cpSync(MODEL, join(working.path, at('model')), { recursive: true });
  working.write(at('pipe.ftp'), PIPELINE);
  working.write(at('presets.ftp'), PRESETS);
  working.write(at('prompt.md'), 'Answer briefly.');
  working.write(at('data/a.jsonl'), rowsText(60));
  working.commit('first');
  return working;
}

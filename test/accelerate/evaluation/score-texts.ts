import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { PYTHON } from '../python.js';

interface Asked {
  /** Folders. */
  readonly base: string;
  readonly adapter?: string;
  /** Whose tokenizer pads all texts as one batch. */
  readonly tokenizer?: string;
  readonly texts: readonly (readonly number[])[];
}

interface Scores {
  /** Of each text by itself. */
  readonly alone: readonly number[];
  /** Of all in one batch, and the token that padded them. */
  readonly together?: readonly number[];
  readonly pad?: number | null;
}

/** The scores that transformers and PEFT give to texts. */
export function scoreTexts({ base, adapter, tokenizer, texts }: Asked): Scores {
  const script = join(nodeHost().packageFolder, ...['test', 'accelerate', 'evaluation', 'score_texts.py']);
  const { status, stdout, stderr } = spawnSync(PYTHON ?? 'python3', [script], {
    input: JSON.stringify({ base, adapter: adapter ?? null, tokenizer: tokenizer ?? null, texts }),
    encoding: 'utf8',
    env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
  });
  expect(status, stderr).to.equal(0);
  return JSON.parse(stdout) as Scores;
}

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tokenizer } from '../../../src/compute/models/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { OutputFolder, StageResult } from '../../../src/language/ir/outputs.js';
import type { Stage } from '../../../src/language/ir/program.js';
import type { Artefact, StageContext } from '../../../src/pipeline/stages/stage.js';
import type { TrainPlan } from '../../../src/pipeline/stages/train-plan/plan.js';
import { contextOf as alone, stageOf } from '../../pipeline/stages/alone.js';
import { fixture } from './fixtures.js';

export { SPAN, stageOf } from '../../pipeline/stages/alone.js';

/** The tiny model, its adapter and PEFT's merge of both, as `record_tiny.py` recorded them. */
export const tiny = join(nodeHost().packageFolder, 'test', 'fixtures', 'evaluation', 'tiny');

interface Seen {
  readonly greedy: readonly (readonly number[])[];
  readonly losses: readonly number[];
  readonly logits: readonly number[];
}

export const expected = fixture<{
  readonly prompts: readonly string[];
  readonly ids: readonly (readonly number[])[];
  readonly base: Seen;
  readonly tuned: Seen;
}>('evaluation', 'tiny/expected.json');

/** A folder that goes when the test has ended. */
export function scratch(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'ftpc-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function plainOutput(path: string): OutputFolder {
  const place = (name: string): string => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  return {
    path,
    write(name, content) {
      const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : [...content];
      writeFileSync(place(name), Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))));
    },
    open(name) {
      const file = place(name);
      writeFileSync(file, '');
      return {
        write: (chunk) => writeFileSync(file, chunk, { flag: 'a' }),
        close: () => undefined,
      };
    },
    remove: (name) => rmSync(place(name)),
  };
}

export function artefact(stage: Stage, path: string, result: Partial<StageResult> = {}): Artefact {
  return { stage, path, key: `key-of-${stage.name}`, result: { outputs: {}, metrics: {}, ...result } };
}

export function contextOf(
  stage: Stage,
  inputs: readonly Artefact[],
  folder: string,
  more: Partial<StageContext> = {},
) {
  const output = join(folder, 'output');
  mkdirSync(output, { recursive: true });
  return alone(stage, folder, {
    inputs: Object.fromEntries(inputs.map((input) => [input.stage.name, input])),
    output: plainOutput(output),
    ...more,
  });
}

export const baseCall = { call: 'local', args: { folder: join(tiny, 'base') } } as const;

/** A complete train stage whose adapter is the recorded one; `method` goes into `training.json`. */
export function trained(
  folder: string,
  method: 'lora' | 'qlora' = 'lora',
  chosen: Partial<TrainPlan> = {},
): Artefact {
  const path = join(folder, `train-${method}`);
  mkdirSync(path, { recursive: true });
  cpSync(join(tiny, 'adapter'), join(path, 'best'), { recursive: true });
  writeFileSync(join(path, 'training.json'), JSON.stringify({ method, base: 'base', chosen }));
  const dataset = { stage: 'rows', port: 'train' };
  return artefact(stageOf('train', 'adapter', { base: baseCall, dataset }), path, {
    outputs: { adapter: 'best', best: 'best' },
    metrics: { loss: 1.5 },
  });
}

export interface Dialog {
  readonly prompt: string;
  readonly answer: string;
  readonly kind?: string;
}

/** A complete format stage, written as `src/pipeline/stages/format/split-files.ts` says. */
export function formatted(folder: string, tokenizer: Tokenizer, dialogs: readonly Dialog[]): Artefact {
  const path = join(folder, 'rows');
  mkdirSync(path, { recursive: true });
  const end = tokenizer.idOf('<|im_end|>') ?? 0;
  const pairs: number[] = [];
  const table: number[] = [];
  for (const [i, { prompt, answer }] of dialogs.entries()) {
    const before = [...tokenizer.encode(prompt)];
    const after = [...tokenizer.encode(answer), end];
    table.push(pairs.length / 2, before.length + after.length, after.length, before.length, 0, i + 1);
    for (const id of before) pairs.push(id, -100);
    for (const id of after) pairs.push(id, id);
  }
  for (const split of ['train', 'test']) {
    writeFileSync(join(path, `${split}.tokens.bin`), new Uint8Array(Int32Array.from(pairs).buffer));
    writeFileSync(join(path, `${split}.rows.bin`), new Uint8Array(Float64Array.from(table).buffer));
    const lines = dialogs.map((dialog, i) => JSON.stringify({ ...dialog, file: 'rows.jsonl', line: i + 1 }));
    writeFileSync(join(path, `${split}.text.jsonl`), `${lines.join('\n')}\n`);
  }
  const counts = { rows: dialogs.length, tokens: pairs.length / 2, supervised: 0, longest: 0, histogram: [] };
  const info = {
    version: 1,
    tokenizer: { folder: join(tiny, 'base'), sha256: '' },
    template: { sha256: '' },
    files: ['rows.jsonl'],
    splits: { train: counts, test: counts },
    stopIds: [end],
    padId: tokenizer.idOf('<|endoftext|>') ?? 0,
  };
  writeFileSync(join(path, 'format.json'), JSON.stringify(info));
  return artefact(stageOf('format', 'rows', {}), path);
}

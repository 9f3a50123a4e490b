/** Pipelines of `pipelines.ts` after their training: with its adapter as a folder, and what such a run has put out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The same evaluation and merge, of the adapter in `folder`. */
export const ownPipeline = (text: string, folder: string): string =>
  text
    .replace(/\ntrain adapter \{[\s\S]*?\n\}\n/, '')
    .replace('model = adapter.best', `model = local("model")\n  adapter = peft("${folder}")`)
    .replace('adapter = adapter.best', `adapter = peft("${folder}")`)
    .replace('releases/tiny', 'releases/own');

interface Outputs {
  /** Folder with `best` and `last`; empty without a training. */
  readonly adapter: string;
  readonly merged: string;
  /** Of the evaluation. */
  readonly metrics: Readonly<Record<string, number>>;
}

export function outputsOf(folder: string, store = '.ftp/store'): Outputs {
  const entries = readdirSync(join(folder, store)).map((key) => join(folder, store, key));
  const having = (name: string): string => {
    const entry = entries.find((path) => readdirSync(path).includes(name));
    return entry === undefined ? '' : join(entry, name);
  };
  const answers = having('answers.jsonl');
  const { metrics } = JSON.parse(readFileSync(join(answers, '..', 'report.json'), 'utf8'));
  return { adapter: having('adapter'), merged: having('model'), metrics };
}

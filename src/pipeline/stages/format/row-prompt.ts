import { basename } from 'node:path';
import { MOST_SYSTEMS, type RowPrompt } from '../../../compute/models/training-prompt.js';
import type { Call } from '../../../language/ir/program.js';
import { isReadFile } from '../../../language/ir/values.js';
import type { SplitName } from '../data/split.js';
import type { RowEncoder } from './row-encoder.js';

/** How the rows of each template ask; of the others nobody can say. */
const STYLES: Readonly<Record<string, RowPrompt['style']>> = {
  chat: 'chat',
  sharegpt: 'chat',
  alpaca: 'chat',
  completion: 'text',
};

/** What a format stage says of how its rows ask; `undefined` for rows of tokens and of labels, which ask nothing. */
export function rowPrompt(
  { call, args }: Call,
  { stopIds, tokenizer }: Pick<RowEncoder, 'stopIds' | 'tokenizer'>,
  counts: SystemCounts,
): RowPrompt | undefined {
  const style = STYLES[call];
  if (style === undefined) return undefined;
  const stop = stopIds.flatMap((id) => tokenizer.tokenOf(id) ?? []);
  return { style, template: templateName(call, args), ...counts.result(), stop };
}

function templateName(call: string, { style }: Call['args']): RowPrompt['template'] {
  if (isReadFile(style)) return basename(style.file, '.jinja');
  return call === 'chat' || call === 'sharegpt' ? null : call;
}

/** System prompts that are told apart while rows are read; of more, only the rows are counted. */
const MOST_KEPT = 256;

/** Counts the system prompts of rows: those that are trained on, or of all rows if none are. */
export class SystemCounts {
  private readonly trained = new Map<string | null, number>();
  private readonly held = new Map<string | null, number>();
  private readonly others = { trained: 0, held: 0 };

  add(split: SplitName, system: string | undefined): void {
    const which = split === 'train' ? 'trained' : 'held';
    const counts = this[which];
    const key = system ?? null;
    const before = counts.get(key);
    if (before === undefined && counts.size === MOST_KEPT) this.others[which]++;
    else counts.set(key, (before ?? 0) + 1);
  }

  result(): Pick<RowPrompt, 'systems' | 'otherRows'> {
    const which = this.trained.size > 0 ? 'trained' : 'held';
    const sorted = [...this[which]]
      .map(([text, rows]) => ({ text, rows }))
      .sort((a, b) => b.rows - a.rows || order(a.text ?? '', b.text ?? ''));
    const rest = sorted.slice(MOST_SYSTEMS);
    return {
      systems: sorted.slice(0, MOST_SYSTEMS),
      otherRows: rest.reduce((sum, { rows }) => sum + rows, this.others[which]),
    };
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

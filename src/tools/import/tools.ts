/** The tools whose files can be imported, and which of them a file is for. */
import type { ForeignRecord } from './foreign.js';
import type { Recipe } from './recipe.js';
import { accelerate } from './tables/accelerate.js';
import { axolotl, methodFirst, settleAxolotl } from './tables/axolotl.js';
import { llamaFactory, settleLlamaFactory } from './tables/llama-factory.js';
import { llamaFactory1, settleLlamaFactory1 } from './tables/llama-factory-1.js';
import { flattened, settleTrl, trl } from './tables/trl.js';
import type { ImportContext, ImportedFile, TranslationTable } from './translation.js';

export interface Tool {
  /** For `--from`. */
  readonly name: ToolName;
  readonly title: string;
  readonly table: TranslationTable<Recipe>;
  /** Another form of the same file, before it is read. */
  readonly shape?: (record: ForeignRecord) => ForeignRecord;
  /** Defaults, and what several keys say together. */
  readonly settle: (recipe: Recipe, context: ImportContext, file: ImportedFile) => void | Promise<void>;
  /** Keys for the base, and for the rows; none where its files describe no training. */
  readonly needs: { readonly base: readonly string[]; readonly rows: readonly string[] } | undefined;
}

export type ToolName = 'axolotl' | 'llama-factory' | 'trl' | 'accelerate';

/** Its files say what devices there are. */
export const ACCELERATE: Tool = {
  name: 'accelerate',
  title: 'accelerate',
  table: accelerate,
  settle: () => {},
  needs: undefined,
};

export const tools: readonly Tool[] = [
  {
    name: 'axolotl',
    title: 'Axolotl',
    table: axolotl,
    shape: methodFirst,
    settle: settleAxolotl,
    needs: { base: ['base_model'], rows: ['datasets'] },
  },
  {
    name: 'llama-factory',
    title: 'LLaMA-Factory',
    table: llamaFactory,
    settle: settleLlamaFactory,
    needs: { base: ['model_name_or_path'], rows: ['dataset'] },
  },
  {
    name: 'llama-factory',
    title: 'LLaMA-Factory 1',
    table: llamaFactory1,
    settle: settleLlamaFactory1,
    needs: { base: ['model'], rows: ['train_dataset'] },
  },
  {
    name: 'trl',
    title: 'TRL',
    table: trl,
    shape: flattened,
    settle: settleTrl,
    needs: { base: ['model_name_or_path'], rows: ['dataset_name', 'datasets'] },
  },
  ACCELERATE,
];

/** Keys that more than one tool has say nothing; each of the others is a vote. */
function votes(record: ForeignRecord, tool: Tool, candidates: readonly Tool[]): number {
  const { entries } = tool.shape?.(record) ?? record;
  const others = candidates.filter(({ table }) => table !== tool.table);
  return entries.filter(
    ({ key }) => Object.hasOwn(tool.table, key) && !others.some(({ table }) => Object.hasOwn(table, key)),
  ).length;
}

/** Keys of the tool, whether or not others have them too. */
const known = (record: ForeignRecord, { table, shape }: Tool): number =>
  (shape?.(record) ?? record).entries.filter(({ key }) => Object.hasOwn(table, key)).length;

/** The tool that a file is for, or the names of those that it may be for. */
export function toolOf(record: ForeignRecord, from: ToolName | undefined): Tool | readonly string[] {
  const candidates = tools.filter(({ name }) => from === undefined || name === from);
  const counted = candidates
    .map((tool) => ({ tool, votes: votes(record, tool, candidates), known: known(record, tool) }))
    .sort((left, right) => right.votes - left.votes || right.known - left.known);
  const [best, next] = counted;
  if (best === undefined) return [];
  if (from !== undefined || best.votes > (next?.votes ?? 0)) return best.tool;
  // Keys that all have, and none for a base or rows: settings of something else, such as a cluster.
  const possible = counted.filter(({ tool }) => {
    const { entries } = tool.shape?.(record) ?? record;
    return entries.some(({ key }) =>
      [tool.needs?.base, tool.needs?.rows].some((keys) => keys?.includes(key)),
    );
  });
  return [...new Set(possible.filter((one) => one.votes === best.votes).map(({ tool }) => tool.name))];
}

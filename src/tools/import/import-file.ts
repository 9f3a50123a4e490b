/** From the file of another tool to a pipeline, and what became of every key. */
import { basename } from 'node:path';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { type SourceMap, sourceText } from '../../language/source/text.js';
import { missingKey, moreUnknownKeys, unknownTool } from './import-diagnostics.js';
import { readSettings, settingsText } from './read-settings.js';
import { newRecipe, type Recipe } from './recipe.js';
import { settleUnread } from './settle.js';
import { type Tool, type ToolName, toolOf } from './tools.js';
import { type ImportContext, type KeyRecord, REPORTED, translateEntries } from './translation.js';
import { pipelineText, remark } from './write.js';

interface ImportRequest {
  /** As it was named, for messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The folder of the file, and that of the pipeline: absolute. */
  readonly fileFolder: string;
  readonly outputFolder: string;
  readonly from?: ToolName;
  /** Devices that it was made for. */
  readonly devices: number;
}

export interface Imported {
  /** Nothing if there is an error. */
  readonly text?: string;
  readonly tool?: Tool;
  readonly keys: readonly KeyRecord[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: SourceMap;
}

export async function importFile(host: Host, request: ImportRequest): Promise<Imported> {
  const { file, bytes, from, fileFolder, outputFolder, devices } = request;
  const text = settingsText(file, bytes);
  if (typeof text !== 'string') return failed([text]);
  const sources: SourceMap = new Map([[file, sourceText(file, text)]]);
  const settings = await readSettings(file, text);
  if (!('kind' in settings)) return { ...failed(settings), sources };
  const tool = toolOf(settings, from);
  if (!('table' in tool)) return { ...failed([unknownTool(file, tool)]), sources };
  const record = tool.shape?.(settings) ?? settings;
  const diagnostics: Diagnostic[] = [];
  const reported = new Set<string>();
  const context: ImportContext = {
    host,
    folder: host.cwd,
    report: (found) => {
      const id = JSON.stringify([found.at, found.message]);
      if (!reported.has(id)) diagnostics.push(found);
      reported.add(id);
    },
    keys: [],
    said: new Set(),
    unknown: { count: 0 },
  };
  const recipe = newRecipe(devices);
  translateEntries(record, tool.table, recipe, context);
  await tool.settle(recipe, context, { record, folder: fileFolder });
  settleUnread(recipe, context);
  const { further, count } = context.unknown;
  if (further !== undefined) diagnostics.push(moreUnknownKeys(further, count - REPORTED));
  const isWrong = (): boolean => diagnostics.some(({ severity }) => severity === 'error');
  // A file in which something is wrong need not be told what else it lacks.
  if (!isWrong()) diagnostics.push(...missing(recipe, tool, record.span));
  const keys = context.keys.map(({ at, sets, ...record }): KeyRecord => record);
  const result = { tool, keys, sources };
  if (isWrong()) return { ...result, diagnostics };
  sayWhatPackingCounts(recipe, tool);
  const written = pipelineText(
    recipe,
    { origin: `${basename(file)} of ${tool.title}`, folder: outputFolder },
    context,
  );
  if (typeof written === 'string') return { ...result, text: written, diagnostics };
  return { ...result, diagnostics: [...diagnostics, ...written] };
}

const failed = (diagnostics: readonly Diagnostic[]): Imported => ({
  keys: [],
  diagnostics,
  sources: new Map(),
});

/** What no pipeline can be without. */
function missing(
  { base, datasets, rate, method, start, lora }: Recipe,
  { needs }: Tool,
  at: Parameters<typeof missingKey>[0],
) {
  const isNew = method === 'lora' && start === undefined;
  return [
    ...(base === undefined ? [missingKey(at, 'which model is trained', needs.base)] : []),
    ...(datasets.length === 0 ? [missingKey(at, 'what it is trained on', needs.rows)] : []),
    // Others have defaults; Axolotl, too, stops without them.
    ...(isNew && lora.rank === undefined ? [missingKey(at, 'the rank of the adapter', ['lora_r'])] : []),
    ...(isNew && lora.alpha === undefined
      ? [missingKey(at, 'the alpha of the adapter', ['lora_alpha'])]
      : []),
    ...(rate === undefined ? [missingKey(at, 'the learning rate', ['learning_rate'])] : []),
  ];
}

/** The number of rows in a step is the one thing that packing changes. */
function sayWhatPackingCounts(recipe: Recipe, { title }: Tool): void {
  if (recipe.packing !== true) return;
  remark(
    recipe,
    'batch',
    `${title} counts packed sequences of ${recipe.maxLength ?? ''} tokens, \`global\` counts rows: for steps as large as there, multiply it by the rows that fit into one.`,
  );
}

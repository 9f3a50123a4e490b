/** From the file of another tool to a pipeline, and what became of every key. */
import { basename } from 'node:path';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { type SourceMap, sourceText } from '../../language/source/text.js';
import type { ForeignRecord } from './foreign.js';
import { missingKey, moreUnknownKeys, unknownTool } from './import-diagnostics.js';
import { readSettings, settingsText } from './read-settings.js';
import { newRecipe, type Recipe, remark } from './recipe.js';
import { settleUnread } from './settle.js';
import { ACCELERATE, type Tool, type ToolName, toolOf } from './tools.js';
import { type ImportContext, type KeyRecord, REPORTED, translateEntries } from './translation.js';
import { machineText, mergeText, pipelineText } from './write.js';

interface ImportRequest {
  /** As it was named, for messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The folder of the file, and that of the pipeline: absolute. */
  readonly fileFolder: string;
  readonly outputFolder: string;
  readonly from?: ToolName;
  /** Devices that it was made for, of all machines; without them, the file may say it. */
  readonly devices?: number;
  /** A file of accelerate, which says what devices there are. */
  readonly accelerate?: { readonly file: string; readonly bytes: Uint8Array };
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
  const { file, from, fileFolder, outputFolder, devices } = request;
  const [read, machine] = [
    await recordOf(request),
    request.accelerate && (await recordOf(request.accelerate)),
  ];
  const sources: SourceMap = new Map([...read.sources, ...(machine?.sources ?? [])]);
  const settings = read.record;
  if (settings === undefined || (machine !== undefined && machine.record === undefined))
    return { ...failed([...read.diagnostics, ...(machine?.diagnostics ?? [])]), sources };
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
  if (machine?.record !== undefined)
    translateEntries(machine.record, ACCELERATE.table, recipe, context, 'accelerate: ');
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
  const destination = { origin: `${basename(file)} of ${tool.title}`, folder: outputFolder };
  const write = tool.needs === undefined ? machineText : recipe.merges === true ? mergeText : pipelineText;
  const written = write(recipe, destination, context);
  if (typeof written === 'string') return { ...result, text: written, diagnostics };
  return { ...result, diagnostics: [...diagnostics, ...written] };
}

interface ReadFile {
  readonly record?: ForeignRecord;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: SourceMap;
}

async function recordOf({ file, bytes }: Pick<ImportRequest, 'file' | 'bytes'>): Promise<ReadFile> {
  const text = settingsText(file, bytes);
  if (typeof text !== 'string') return { diagnostics: [text], sources: new Map() };
  const sources: SourceMap = new Map([[file, sourceText(file, text)]]);
  const settings = await readSettings(file, text);
  return 'kind' in settings
    ? { record: settings, diagnostics: [], sources }
    : { diagnostics: settings, sources };
}

const failed = (diagnostics: readonly Diagnostic[]): Imported => ({
  keys: [],
  diagnostics,
  sources: new Map(),
});

/** What no pipeline can be without. */
function missing(
  { base, datasets, rate, method, start, lora, merges }: Recipe,
  { needs }: Tool,
  at: Parameters<typeof missingKey>[0],
) {
  if (needs === undefined) return [];
  if (merges === true) return base === undefined ? [missingKey(at, 'which model is merged', needs.base)] : [];
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

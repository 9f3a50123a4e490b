/** LLaMA-Factory: data sets by the names that `dataset_info.json` describes. */
import { join, resolve } from 'node:path';
import { HostError } from '../../../language/host/host.js';
import { parseFlat } from '../../../language/host/json.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { Span } from '../../../language/source/span.js';
import { cannotExpress } from '../import-diagnostics.js';
import { type Dataset, newDataset, type Recipe, remark } from '../recipe.js';
import { type ImportContext, type KeyRecord, left } from '../translation.js';
import { addDataset, settleMessages } from './datasets.js';
import { NONE } from './reasons.js';

/** What is read of an entry; anything may be in the file. */
type Entry = Readonly<Record<string, unknown>>;

const DESCRIPTION = 'dataset_info.json';

/** Folders where `dataset_dir` may be: LLaMA-Factory is called in its own folder, with a file somewhere below it. */
function dataFolder(dir: string, fileFolder: string, { host, folder }: ImportContext): string | undefined {
  const starts = [folder, ...parents(fileFolder)];
  return starts
    .map((start) => resolve(start, dir))
    .find((path) => host.stat(join(path, DESCRIPTION)) !== undefined);
}

function parents(folder: string): readonly string[] {
  const above = resolve(folder, '..');
  return above === folder ? [folder] : [folder, ...parents(above)];
}

/** The description of the data sets in a folder; nothing if there is none that can be read. */
function entriesIn(folder: string | undefined, { host }: ImportContext): Entry {
  if (folder === undefined) return {};
  try {
    const value: unknown = parseFlat(host.readText(join(folder, DESCRIPTION)));
    return recordOf(value);
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) return {};
    throw error;
  }
}

const recordOf = (value: unknown): Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Entry) : {};

const textIn = (entry: Entry, name: string): string | undefined => {
  const value = lookUp(entry, name);
  return typeof value === 'string' ? value : undefined;
};

interface Wanted {
  readonly names: readonly string[];
  readonly at: Span;
  /** `dataset_dir` as it is written. */
  readonly dir: string;
  readonly fileFolder: string;
  readonly key: string;
  readonly where: 'datasets' | 'validation';
}

/** Adds the data sets of these names to the recipe; whether one was left out. */
export function addNamed(
  { names, at, dir, fileFolder, key, where }: Wanted,
  recipe: Recipe,
  context: ImportContext,
): { readonly left: string } | undefined {
  const found = dataFolder(dir, fileFolder, context);
  const entries = entriesIn(found, context);
  const folder = found ?? resolve(context.folder, dir);
  const leftOut: KeyRecord[] = [];
  for (const name of names) {
    const entry = lookUp(entries, name);
    const dataset = newDataset(at);
    if (entry === undefined) {
      const isRepository = /^[\w.-]+\/[\w.-]+$/.test(name);
      dataset.path = isRepository ? name : join(folder, `${name}.json`);
      remark(
        recipe,
        'source',
        `\`${name.slice(0, 60)}\` is not described in ${DESCRIPTION}: taken for a ${isRepository ? 'data set of the Hub' : 'file'} of that name, in the format of Alpaca.`,
      );
    } else if (!describe(dataset, recordOf(entry), folder, recipe, context)) continue;
    dataset.template ??= 'chat';
    const own: KeyRecord[] = [{ key: `${key}.${name}`, status: 'translated', value: dataset.path ?? '' }];
    const before = context.keys.length;
    addDataset(dataset, where, recipe, context, own);
    leftOut.push(...context.keys.splice(before).filter(({ status }) => status === 'left'));
  }
  const [first] = leftOut;
  return first === undefined
    ? undefined
    : left(`${leftOut.map((record) => record.key.slice(key.length + 1)).join(', ')}: ${first.why ?? ''}`);
}

/** False if its rows cannot be trained on, which is reported. */
function describe(
  dataset: Dataset,
  entry: Entry,
  folder: string,
  recipe: Recipe,
  context: ImportContext,
): boolean {
  const columns = recordOf(entry['columns']);
  const tags = recordOf(entry['tags']);
  const isCompared = entry['ranking'] === true;
  const isJudged = lookUp(columns, 'kto_tag') !== undefined;
  const wrong =
    isCompared || isJudged
      ? recipe.objective === undefined
        ? NONE.unaimed
        : undefined
      : ['images', 'videos', 'audios'].some((name) => lookUp(columns, name) !== undefined)
        ? NONE.images
        : undefined;
  if (wrong !== undefined) {
    context.report(cannotExpress(dataset.at, 'dataset', wrong));
    return false;
  }
  const hub = textIn(entry, 'hf_hub_url');
  const file = textIn(entry, 'file_name');
  dataset.path = hub ?? (file === undefined ? undefined : join(folder, file));
  if (dataset.path === undefined) {
    context.report(
      cannotExpress(dataset.at, 'dataset', 'its rows are neither in a file nor on the Hugging Face Hub'),
    );
    return false;
  }
  dataset.split = textIn(entry, 'split');
  const subset = textIn(entry, 'folder') ?? textIn(entry, 'subset');
  if (hub !== undefined && subset !== undefined) dataset.files = [`${subset}/*`];
  if (isCompared || isJudged) return preferences(dataset, columns, entry, recipe);
  return textIn(entry, 'formatting') === 'sharegpt' || textIn(entry, 'formatting') === 'openai'
    ? conversation(dataset, columns, tags, recipe)
    : instructions(dataset, columns, entry, recipe);
}

function conversation(dataset: Dataset, columns: Entry, tags: Entry, recipe: Recipe): true {
  const messages = textIn(columns, 'messages') ?? 'conversations';
  const chat = textIn(tags, 'role_tag') === 'role';
  dataset.template = chat ? 'chat' : 'sharegpt';
  dataset.columns.messages = messages;
  if (!settleMessages(dataset))
    remark(recipe, 'source', `The column \`${messages.slice(0, 40)}\`: ${NONE.messages}.`);
  return true;
}

/** Two answers, or one that is judged; a question that is a text is what the user asks. */
function preferences(dataset: Dataset, columns: Entry, entry: Entry, recipe: Recipe): true {
  dataset.template = 'preference';
  const isChat = textIn(entry, 'formatting') === 'sharegpt' || textIn(entry, 'formatting') === 'openai';
  const asked = isChat
    ? (textIn(columns, 'messages') ?? 'conversations')
    : (textIn(columns, 'prompt') ?? 'instruction');
  const isJudged = lookUp(columns, 'kto_tag') !== undefined;
  if (!isChat) dataset.columns.question = asked;
  else if (!isJudged) dataset.columns.prompt = asked;
  else if (asked !== 'messages') dataset.columns.messages = asked;
  for (const [usual, name] of [
    ['chosen', textIn(columns, 'chosen')],
    ['rejected', textIn(columns, 'rejected')],
    ['label', textIn(columns, 'kto_tag')],
    ['completion', isJudged && !isChat ? textIn(columns, 'response') : undefined],
  ] as const)
    if (name !== undefined && name !== usual) dataset.columns[usual] = name;
  for (const name of ['query', 'system', 'history', 'tools'])
    if (textIn(columns, name) !== undefined)
      remark(recipe, 'template', `The column \`${name}\` is not read: write what it says into the prompt.`);
  return true;
}

/** The format of Alpaca, of which LLaMA-Factory makes a chat. */
function instructions(dataset: Dataset, columns: Entry, entry: Entry, recipe: Recipe): true {
  const described = lookUp(entry, 'columns') !== undefined;
  const prompt = textIn(columns, 'prompt') ?? 'instruction';
  const response = described ? textIn(columns, 'response') : 'output';
  if (response === undefined) {
    // A text and no answer: rows for pre-training.
    dataset.template = 'completion';
    if (prompt !== 'text') dataset.columns.text = prompt;
    return true;
  }
  dataset.template = 'chat';
  const query = textIn(columns, 'query');
  for (const [column, name] of [
    ['instruction', prompt],
    ['input', query],
    ['output', response],
  ] as const)
    if (name !== undefined && name !== column) dataset.columns[column] = name;
  for (const name of ['system', 'history'])
    if (textIn(columns, name) !== undefined)
      remark(
        recipe,
        'template',
        `The column \`${name}\` is not read: \`chat(system: …)\` is the same for all rows.`,
      );
  return true;
}

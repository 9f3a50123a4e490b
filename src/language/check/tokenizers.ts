/**
 * Rows that are cut and written as the model knows them: of its tokenizer, and in the form it was trained in. Where a
 * format names no tokenizer, it uses that of the one base that is trained on it.
 */

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  noTokenizer,
  otherForm,
  otherTokenizer,
  severalTokenizers,
} from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { HostError } from '../host/host.js';
import type { Call, Value } from '../ir/program.js';
import { isCall, isFile } from '../ir/values.js';
import { rowKind } from '../schemas/functions/template.js';
import { settingsOf } from '../schemas/stages/settings.js';
import { lookUp } from '../source/look-up.js';
import type { FolderAccess } from './context.js';
import { references } from './stage-graph.js';
import { headingOf, referenceIn, type Stages, settingSpan, trainedBy } from './stage-settings.js';
import type { CheckedStage } from './stages.js';

export function fillTokenizers(
  stages: readonly CheckedStage[],
  report: (diagnostic: Diagnostic) => void,
): readonly CheckedStage[] {
  // A stage that is invalid may be the one that reads a format.
  if (stages.some(({ isSound }) => !isSound)) return stages;
  const byName = new Map(stages.map((checked) => [checked.stage.name, checked]));
  const readersOf = readersByFormat(stages);
  return stages.map((checked) => {
    const { stage } = checked;
    if (stage.kind !== 'format' || stage.settings['model'] !== undefined) return checked;
    const readers = readersOf.get(stage.name) ?? [];
    const trains = readers.filter(({ stage }) => stage.kind === 'train');
    const users = trains.length > 0 ? trains : readers;
    const models = users.map((user) => modelUnder(user, byName));
    const [model] = models;
    const heading = headingOf(checked);
    if (model === undefined || models.some((other) => other === undefined)) {
      report(noTokenizer(heading, stage.name));
      return checked;
    }
    if (models.some((other) => JSON.stringify(other) !== JSON.stringify(model))) {
      report(
        severalTokenizers(
          heading,
          stage.name,
          users.map(({ stage }) => stage.name),
        ),
      );
      return checked;
    }
    return {
      ...checked,
      stage: {
        ...stage,
        settings: { ...stage.settings, model },
        origins: { ...stage.origins, model: 'default' as const },
      },
    };
  });
}

/** The stages that read rows of each format, in order, each once. */
function readersByFormat(stages: readonly CheckedStage[]): ReadonlyMap<string, readonly CheckedStage[]> {
  const found = new Map<string, CheckedStage[]>();
  for (const checked of stages)
    for (const key of ['dataset', 'validate'])
      for (const { stage } of references(checked.stage.settings[key] ?? null)) {
        const readers = found.get(stage) ?? [];
        if (readers.at(-1) !== checked) readers.push(checked);
        found.set(stage, readers);
      }
  return found;
}

/** The model whose tokenizer a stage brings: its base, or the base of the stage whose model it takes. */
export function modelUnder(checked: CheckedStage, stages: Stages, depth = 0): Call | undefined {
  const { settings, kind } = checked.stage;
  const value: Value | undefined =
    kind === 'train' || kind === 'merge' ? settings['base'] : settings['model'];
  if (value === undefined || depth > stages.size) return undefined;
  if (isCall(value)) return value;
  const [reference] = references(value);
  const source = reference === undefined ? undefined : stages.get(reference.stage);
  return source === undefined ? undefined : modelUnder(source, stages, depth + 1);
}

/** Folders of the models that are on this machine; others are looked at when they are opened. */
const FOLDERS: Readonly<Record<string, (call: Call, access: FolderAccess) => string>> = {
  starter: (_, { host }) => join(host.packageFolder, 'stdlib', 'models', 'starter'),
  local: ({ args }, { folder }) => resolve(folder, String(args['folder'])),
  untrained: ({ args }, { folder }) => resolve(folder, String(args['folder'])),
};

export const modelFolder = (call: Call, access: FolderAccess): string | undefined =>
  lookUp(FOLDERS, call.call)?.(call, access);

/** Digest of the tokenizer of a model; `undefined` if it cannot be told. */
function tokenizerOf(call: Call, access: FolderAccess): string | undefined {
  const folder = modelFolder(call, access);
  if (folder === undefined) return undefined;
  try {
    const bytes = access.host.readBytes(join(folder, 'tokenizer.json'));
    const added = JSON.stringify([call.args['special_tokens'] ?? [], call.args['added_tokens'] ?? []]);
    return createHash('sha256').update(bytes).update(added).digest('hex');
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Tokens of another tokenizer are other words to the model. */
export function sameTokenizer(
  checked: CheckedStage,
  stages: Stages,
  access: FolderAccess,
): readonly Diagnostic[] {
  const own = checked.stage.settings['baseline'];
  const models = [modelUnder(checked, stages), isCall(own) ? own : undefined];
  return ['dataset', 'validate'].flatMap((key) => {
    const reference = referenceIn(checked, key);
    const format = reference && stages.get(reference.stage);
    const model = format?.stage.settings['model'];
    if (format === undefined || !isCall(model) || !format.isSound) return [];
    const other = models.find((call) => call !== undefined && isOther(call, model, access));
    return other === undefined
      ? []
      : [otherTokenizer(settingSpan(checked, key), format.stage.name, settingSpan(format, 'model'))];
  });
}

function isOther(one: Call, other: Call, access: FolderAccess): boolean {
  if (JSON.stringify(one) === JSON.stringify(other)) return false;
  const [a, b] = [tokenizerOf(one, access), tokenizerOf(other, access)];
  return a !== undefined && b !== undefined && a !== b;
}

/** An evaluation that asks in another form than the model was trained to answer measures the form. */
export function sameForm(checked: CheckedStage, stages: Stages): readonly Diagnostic[] {
  if (checked.stage.kind !== 'eval') return [];
  const model = referenceIn(checked, 'model');
  const trained = model && trainedBy(model.stage, stages);
  const [asked, learnt] = [checked, trained].map((stage) => {
    const reference = stage && referenceIn(stage, 'dataset');
    return reference && stages.get(reference.stage);
  });
  if (asked === undefined || learnt === undefined || !asked.isSound || !learnt.isSound) return [];
  if (formOf(asked) === formOf(learnt) || kindOf(asked) !== kindOf(learnt)) return [];
  const { name } = asked.stage;
  return [
    otherForm(settingSpan(checked, 'dataset'), name, [
      { at: settingSpan(learnt, 'template'), message: 'trained in this form' },
      { at: settingSpan(asked, 'template'), message: 'used with this one' },
    ]),
  ];
}

/** Rows of another kind differ in more than form; see `classification.ts`. */
const kindOf = ({ stage }: CheckedStage) => rowKind(settingsOf(stage, 'format').template.call);

/** Template and style; the system message is content. */
function formOf({ stage }: CheckedStage): string {
  const { call, args } = settingsOf(stage, 'format').template;
  const style = args['style'];
  return `${call} ${isFile(style) ? style.sha256 : ''}`;
}

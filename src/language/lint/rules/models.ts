/** Where models and data sets come from: their versions and licences. */
import type { CheckedStage } from '../../check/stages.js';
import type { Call, StageKind, Value } from '../../ir/program.js';
import { isCall, isList, isRecord } from '../../ir/values.js';
import { entryOf } from '../lock.js';
import { callAt, declarationOf, expressionOf } from '../places.js';
import type { Finding, Pipeline, PipelineFiles, Rule } from '../rule.js';

const COMMIT = /^[0-9a-f]{40}$/;

/** Calls of `call` under these keys that neither name a commit nor are in the lock; each repository once. */
function unpinned(
  pipeline: Pipeline,
  call: string,
  kinds: readonly StageKind[],
  keys: readonly string[],
): readonly Finding[] {
  const found = new Map<string, Finding>();
  const places = kinds
    .flatMap((kind) => pipeline.of(kind))
    .flatMap((checked) => keys.map((key) => ({ checked, key })));
  // A format has the model of the stage that trains on it: what is written comes before what follows from it.
  const isWritten = ({ checked, key }: (typeof places)[number]) => expressionOf(checked, key) !== undefined;
  for (const { checked, key } of [...places.filter(isWritten), ...places.filter((one) => !isWritten(one))])
    for (const { args } of callsOf(checked.stage.settings[key], call)) {
      const name = String(args['repository']);
      const isPinned =
        COMMIT.test(String(args['revision'])) ||
        entryOf(pipeline.files.lock, { call, args })?.commit !== undefined;
      if (isPinned || found.has(name)) continue;
      found.set(name, {
        at: declarationOf(checked, key, pipeline),
        message: `the version of \`${name}\` is not pinned`,
        label: 'may change at any time',
        help: 'run `ftpc lock`, which records the commit in the lock file, or write it as `revision: "…"`',
      });
    }
  return [...found.values()];
}

function callsOf(value: Value | undefined, name: string): readonly Call[] {
  if (isList(value)) return value.flatMap((item) => callsOf(item, name));
  if (isCall(value) && value.call === name) return [value];
  if (isCall(value)) return Object.values(value.args).flatMap((item) => callsOf(item, name));
  return isRecord(value) ? Object.values(value).flatMap((item) => callsOf(item, name)) : [];
}

/** The start of a model card or of a GGUF file: what is looked through for a licence. */
const HEAD_BYTES = 64 << 10;

const LICENCE_FILE = /^(licen[cs]e|copying|use_policy|notice)(\.|$)/i;
/** A model card starts with its front matter. */
const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---/;
const LICENCE_KEY = /^license(_name)?:[ \t]*\S/m;

/** What has no licence, as the file names it. */
function unlicensed(checked: CheckedStage, files: PipelineFiles): string | undefined {
  const call = callAt(checked, 'base');
  const looks = call === undefined ? undefined : LOOKS[call.call];
  if (call === undefined || looks === undefined) return undefined;
  const locked = entryOf(files.lock, call);
  if (locked?.licence !== undefined) return undefined;
  const name = String(Object.values(call.args).find((value) => typeof value === 'string'));
  return looks(name, files, locked !== undefined) ? undefined : name;
}

/** Whether a model says its licence, or cannot be asked. */
const LOOKS: Readonly<Record<string, (name: string, files: PipelineFiles, isLocked: boolean) => boolean>> = {
  local(folder, files) {
    if (files.list(folder).some((name) => LICENCE_FILE.test(name))) return true;
    const card = FRONT_MATTER.exec(files.head(`${folder}/README.md`, HEAD_BYTES) ?? '');
    return LICENCE_KEY.test(card?.[1] ?? '');
  },
  gguf: (file, files) => files.head(file, HEAD_BYTES)?.includes('general.license') === true,
  // No server is asked: only the lock knows.
  hf: (_name, _files, isLocked) => !isLocked,
};

export const modelRules: readonly Rule[] = [
  {
    id: 'unpinned-model',
    code: 'FTP1011',
    level: 'warning',
    doc: 'A model of the Hub without a pinned commit: neither `revision` nor the lock file names one.',
    reason:
      'The name of a repository is not a version: tomorrow it may have different weights, a different tokenizer or a different template. An adapter fits only the base that it was trained on.',
    check: (pipeline) =>
      unpinned(
        pipeline,
        'hf',
        ['format', 'train', 'eval', 'merge'],
        [...['base', 'model', 'baseline', 'objective', 'metrics']],
      ),
  },
  {
    id: 'licence-unknown',
    code: 'FTP1012',
    level: 'warning',
    doc: 'A base whose folder, file or model card does not state its licence.',
    reason:
      'Whether a fine-tuned model may be sold, or released at all, depends on the licence of its base. Find out before the training.',
    check(pipeline) {
      const seen = new Set<string>();
      return pipeline.of('train').flatMap((checked) => {
        const path = unlicensed(checked, pipeline.files);
        if (path === undefined || seen.has(path)) return [];
        seen.add(path);
        return {
          at: declarationOf(checked, 'base', pipeline),
          message: `the licence of \`${path}\` is unknown`,
          label: 'no licence found',
          help: 'look it up, and add a LICENSE file, or `license: …` in the front matter of README.md',
        };
      });
    },
  },
  {
    id: 'unpinned-data',
    code: 'FTP1026',
    level: 'warning',
    doc: 'A data set of the Hub without a pinned commit: neither `revision` nor the lock file names one.',
    reason:
      'Rows that are added, corrected or removed under the same name change what is trained and what is measured. Two evaluations can only be compared on the same rows.',
    check: (pipeline) => unpinned(pipeline, 'hub', ['data'], ['source', 'mix']),
  },
];

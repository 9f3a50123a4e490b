import type { CheckedStage } from '../../check/stages.js';
import { entryOf } from '../lock.js';
import { declarationOf } from '../places.js';
import type { PipelineFiles, Rule } from '../types.js';
import { callAt } from '../values.js';

/** The start of a model card or of a GGUF file: what is looked through for a licence. */
const HEAD_BYTES = 64 << 10;

const LICENCE_FILE = /^(licen[cs]e|copying|use_policy|notice)(\.|$)/i;
/** A model card starts with its front matter. */
const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---/;
const LICENCE_KEY = /^license(_name)?:[ \t]*\S/m;

export const licenceUnknown: Rule = {
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
      return [
        {
          at: declarationOf(checked, 'base', pipeline),
          message: `the licence of \`${path}\` is unknown`,
          label: 'no licence found',
          help: 'look it up, and add a LICENSE file, or `license: …` in the front matter of README.md',
        },
      ];
    });
  },
};

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

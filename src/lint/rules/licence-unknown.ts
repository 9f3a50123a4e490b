import type { CheckedStage } from '../../check/stages.js';
import { declared } from '../declared.js';
import type { Files, Rule } from '../types.js';
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
  doc: 'A base in a folder or file of yours that says nothing of its licence.',
  reason:
    'Whether a fine-tuned model may be sold, or released at all, follows from the licence of its base; to find out after the training is to find out too late.',
  check(pipeline) {
    const seen = new Set<string>();
    return pipeline.of('train').flatMap((checked) => {
      const path = unlicensed(checked, pipeline.files);
      if (path === undefined || seen.has(path)) return [];
      seen.add(path);
      return [
        {
          at: declared(checked, 'base', pipeline),
          message: `nothing says under which licence \`${path}\` stands`,
          label: 'licence unknown',
          help: 'put its LICENSE file into the folder, or `license: …` into the front matter of its README.md',
        },
      ];
    });
  },
};

function unlicensed(checked: CheckedStage, files: Files): string | undefined {
  const call = callAt(checked, 'base');
  if (call?.call === 'local') {
    const folder = String(call.args['folder']);
    if (files.list(folder).some((name) => LICENCE_FILE.test(name))) return undefined;
    const card = FRONT_MATTER.exec(files.head(`${folder}/README.md`, HEAD_BYTES) ?? '');
    return LICENCE_KEY.test(card?.[1] ?? '') ? undefined : folder;
  }
  if (call?.call !== 'gguf') return undefined;
  const file = String(call.args['file']);
  return files.head(file, HEAD_BYTES)?.includes('general.license') === true ? undefined : file;
}

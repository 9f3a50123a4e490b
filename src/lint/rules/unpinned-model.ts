import type { CheckedStage } from '../../check/stages.js';
import { declared } from '../declared.js';
import type { Finding, Pipeline, Rule } from '../types.js';
import { callAt } from '../values.js';

const KEYS = ['base', 'model', 'baseline'];

export const unpinnedModel: Rule = {
  id: 'unpinned-model',
  code: 'FTP1011',
  level: 'warning',
  doc: 'A model of the Hub without `revision`, and no lock that has one.',
  reason:
    'The name of a repository is no version: what stands under it tomorrow may have other weights, another tokenizer or another template. An adapter only fits the base that it was trained on.',
  check(pipeline) {
    const found = new Map<string, Finding>();
    for (const checked of pipeline.stages.values())
      for (const key of KEYS) {
        const call = callAt(checked, key);
        if (call?.call !== 'hf' || typeof call.args['revision'] === 'string') continue;
        const name = Object.values(call.args).find((value) => typeof value === 'string');
        if (name === undefined || pipeline.files.lock?.includes(JSON.stringify(name)) === true) continue;
        if (!found.has(name)) found.set(name, finding(checked, key, name, pipeline));
      }
    return [...found.values()];
  },
};

function finding(checked: CheckedStage, key: string, name: string, pipeline: Pipeline): Finding {
  return {
    at: declared(checked, key, pipeline),
    message: `\`${name}\` has no revision`,
    label: 'may be another model tomorrow',
    help: 'run `ftpc lock`, which writes the revision into the lock file; or write `revision: "…"`',
  };
}

/** Whether the licences of bases and rows allow what their pipeline declares. */
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Terms } from '../../../language/schemas/licences.js';
import type { Answer, Evidence, Facts } from './facts.js';

/** A licence and who says so, with what to use instead. */
interface Read {
  readonly licence: string;
  readonly text: string;
  readonly instead: string;
}

export function licenceUse(facts: Facts, checked: CheckedStage): Answer {
  const data = facts.dataUnder(checked, 'dataset');
  const licence = facts.licence(checked);
  const name = checked.block.name.text;
  const none = `the base of \`${name}\` names no licence: ask its makers`;
  const text = `the card of the base of \`${name}\` says ${licence}`;
  const read = licence === undefined ? [] : [{ licence, text, instead: 'train on another base' }];
  return answerFor(facts, data, read, none);
}

/** Of the rows of a data stage. */
export function rowsUse(facts: Facts, data: CheckedStage): Answer {
  const sources = facts.rowLicences(data);
  const silent = sources.filter(({ licences }) => licences.length === 0).map(({ source }) => `\`${source}\``);
  const none = `nothing says the licence of ${silent.join(', ')}: write \`license = "…"\` in \`data ${data.block.name.text}\`, or \`license: …\` in the front matter of a README.md next to it`;
  const read = sources.flatMap(({ source, licences, file }) =>
    licences.map((licence) => ({
      licence,
      text:
        file === undefined
          ? `\`license = "${licence}"\` is declared`
          : `${file} says ${licence} of \`${source}\``,
      instead: 'use other rows',
    })),
  );
  const answer = answerFor(facts, data, read, none);
  if (silent.length === 0 || answer.state === 'open') return answer;
  // who has the rows can find out
  return { state: 'open', evidence: answer.evidence, todo: none };
}

function answerFor(
  facts: Facts,
  data: CheckedStage | undefined,
  read: readonly Read[],
  none: string,
): Answer {
  if (read.length === 0) return { state: 'unknown', evidence: [], todo: none };
  const use = data?.stage.settings['use'];
  const evidence: readonly Evidence[] = read.map(({ text }) => ({ text }));
  if (data === undefined || use === undefined)
    return {
      state: 'unknown',
      evidence,
      todo: 'what it is for, the file does not say: write `use = commercial` or `use = research` in the `data` stage',
    };
  const all = [...new Map(evidence.map((each) => [each.text, each])).values(), facts.setting(data, 'use')];
  const readWith = (terms: Terms) => read.find(({ licence }) => facts.terms(licence) === terms);
  const forbids = use === 'commercial' ? readWith('non_commercial') : undefined;
  if (forbids !== undefined)
    return {
      state: 'open',
      evidence: all,
      todo: `${forbids.licence} does not allow commercial use: ${forbids.instead}`,
    };
  const strange = readWith('unknown');
  if (strange !== undefined)
    return { state: 'unknown', evidence: all, todo: `${strange.licence} is not known here: read it` };
  const narrow = readWith('conditions');
  if (narrow !== undefined)
    return {
      state: 'unknown',
      evidence: all,
      todo: `${narrow.licence} allows commercial use under conditions: read it`,
    };
  return { state: 'done', evidence: all };
}

/** Whether the licence of a base allows what its pipeline declares. */
import type { CheckedStage } from '../../../language/check/stages.js';
import type { Answer, Evidence, Facts } from './facts.js';

/** By the names that model cards use (SPDX in small letters, and those of the Hub). */
const COMMERCIAL =
  /^(apache-2\.0|mit|bsd(-\d-clause)?(-clear)?|isc|zlib|unlicense|wtfpl|cc0-1\.0|cc-by(-sa)?-\d\.\d|mpl-2\.0|[al]?gpl-\d\.\d|artistic-2\.0|ecl-2\.0|postgresql|ncsa|bsl-1\.0|cdla-permissive-[12]\.0)$/;
const NON_COMMERCIAL = /(^|-)(nc|noncommercial|non-commercial|research)(-|$)/;
/** Commercial use is allowed, but not to everybody, or not for everything. */
const WITH_CONDITIONS =
  /^(llama[\d.]*|gemma|(bigscience-|creativeml-)?openrail(\+\+)?(-m)?|bigcode-openrail-m|bigscience-bloom-rail-1\.0|deepseek|qwen)$/;

export function licenceUse(facts: Facts, checked: CheckedStage): Answer {
  const data = facts.dataUnder(checked, 'dataset');
  const use = data?.stage.settings['use'];
  const licence = facts.licence(checked);
  const name = checked.block.name.text;
  if (licence === undefined)
    return {
      state: 'unknown',
      evidence: [],
      todo: `the base of \`${name}\` names no licence: ask its makers`,
    };
  const read: Evidence = { text: `the card of the base of \`${name}\` says ${licence}` };
  if (data === undefined || use === undefined)
    return {
      state: 'unknown',
      evidence: [read],
      todo: 'what it is for, the file does not say: write `use = commercial` or `use = research` in the `data` stage',
    };
  const evidence = [read, facts.setting(data, 'use')];
  const key = licence.toLowerCase();
  if (use === 'research' && (COMMERCIAL.test(key) || NON_COMMERCIAL.test(key)))
    return { state: 'done', evidence };
  if (COMMERCIAL.test(key)) return { state: 'done', evidence };
  if (NON_COMMERCIAL.test(key))
    return {
      state: 'open',
      evidence,
      todo: `${licence} does not allow commercial use: train on another base`,
    };
  const conditions = WITH_CONDITIONS.test(key)
    ? 'allows commercial use under conditions'
    : 'is not known here';
  return { state: 'unknown', evidence, todo: `${licence} ${conditions}: read it` };
}

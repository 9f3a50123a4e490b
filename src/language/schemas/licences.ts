/** What licences allow, by the names that model cards and data cards use: SPDX, and those of the Hub. */
/**
 * `conditions`: commercial use is allowed, but not to everybody or for everything, such as to those with few users.
 * `unknown`: nothing here knows it.
 */
export type Terms = 'free' | 'conditions' | 'non_commercial' | 'unknown';

/** Free for any use, which the Open Source Initiative does not say of licences of data, or under other names. */
const FREE =
  /^(?:cc0-1\.0|cc-by(?:-sa)?-\d\.\d|cdla-permissive-[12]\.0|cdla-sharing-1\.0|odc-by(?:-1\.0)?|odbl(?:-1\.0)?|pddl(?:-1\.0)?|unlicense|wtfpl|bsd|[al]?gpl|[al]?gpl-\d\.\d|gfdl(?:-1\.\d)?|etalab-2\.0|c-uda)$/;
const NON_COMMERCIAL = /(?:^|-)(?:nc|noncommercial|non-commercial|prosperity|research)(?:-|$)/;
const CONDITIONS =
  /^(?:cc-by-nd-\d\.\d|llama[\d.]*|gemma|(?:bigscience-|creativeml-)?openrail(?:\+\+)?(?:-m)?|bigcode-openrail-m|bigscience-bloom-rail-1\.0|deepseek|qwen|llama-\d[\w.-]*)$/;

/** `openOnes`: by SPDX name in small letters, whether the Open Source Initiative approved of it. */
function termsOfOne(name: string, openOnes: ReadonlyMap<string, boolean>): Terms {
  const key = name.toLowerCase();
  // `-only` and `-or-later` say which versions, not what is allowed
  const plain = key.replace(/-(?:only|or-later)$/, '').replace(/\+$/, '');
  if (NON_COMMERCIAL.test(plain)) return 'non_commercial';
  if (FREE.test(plain) || openOnes.get(key) === true) return 'free';
  return CONDITIONS.test(key) ? 'conditions' : 'unknown';
}

const ORDER: readonly Terms[] = ['free', 'conditions', 'unknown', 'non_commercial'];
const worst = (all: readonly Terms[]): Terms => ORDER.findLast((terms) => all.includes(terms)) ?? 'unknown';
const best = (all: readonly Terms[]): Terms => ORDER.find((terms) => all.includes(terms)) ?? 'unknown';

export type TermsOf = (licence: string) => Terms;

/** Reads SPDX expressions too: of `A OR B` the better one counts, of `A AND B` both. Loads SPDX's list at its first use. */
export async function licenceTerms(): Promise<TermsOf> {
  const { default: list } = await import('spdx-license-list');
  const openOnes = new Map(
    Object.entries(list).map(([name, { osiApproved }]) => [name.toLowerCase(), osiApproved]),
  );
  return (licence) => termsOfExpression(licence, (name) => termsOfOne(name, openOnes));
}

/** Names, which may have spaces, and what is between them. */
const PARTS = /([()]|\s+(?:AND|OR|and|or)\s+)/;

/** An expression of more parts is nothing that anybody wrote. */
const MOST_PARTS = 200;

/** What cannot be read as an expression allows no more than the narrowest of its licences, and is not known to allow that. */
function termsOfExpression(licence: string, termsOf: TermsOf): Terms {
  const parts = licence.split(PARTS).flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  let at = 0;
  const taken = (operator: string): boolean => {
    const isNext = parts[at]?.toUpperCase() === operator;
    if (isNext) at++;
    return isNext;
  };
  const joined = (operand: () => Terms | undefined, operator: string, merged: typeof best) => () => {
    const all = [operand()];
    while (taken(operator)) all.push(operand());
    return all.includes(undefined) ? undefined : merged(all.flatMap((terms) => terms ?? []));
  };
  const one = (): Terms | undefined => {
    if (taken('(')) {
      const inner = either();
      return taken(')') ? inner : undefined;
    }
    const name = parts[at++];
    return name === undefined || /^(?:[()]|and|or)$/i.test(name) ? undefined : termsOf(nameOf(name));
  };
  const either = joined(joined(one, 'AND', worst), 'OR', best);
  const found = parts.length > MOST_PARTS ? undefined : either();
  return found !== undefined && at === parts.length
    ? found
    : worst(['unknown', ...parts.map((part) => termsOf(nameOf(part)))]);
}

/** `Apache 2.0` is written with a hyphen in SPDX; an exception `WITH` which a licence comes takes nothing away. */
const nameOf = (part: string): string => (part.split(/\s+WITH\s+/i)[0] ?? '').replace(/\s+/g, '-');

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
  return (licence) =>
    best(
      licence
        .replace(/[()]/g, ' ')
        .split(/\s+OR\s+/)
        .map((choice) =>
          worst(
            choice
              .split(/\s+AND\s+/)
              .map((one) => termsOfOne(one.trim().split(/\s+WITH\s+/)[0] ?? '', openOnes)),
          ),
        ),
    );
}

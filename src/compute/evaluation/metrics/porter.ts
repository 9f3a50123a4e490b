/**
 * Porter's stemmer (1980) with the departures of NLTK's `PorterStemmer`, which rouge_score stems with: a table of irregular
 * words, `ies` and `ied` after one letter, and some suffixes.
 */

/** Of a word in lower case that has more than two letters. */
export function stem(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  return STEPS.reduce((rest, step) => step(rest), word);
}

const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ...['news', 'howe', 'proceed', 'exceed', 'succeed'].map((word) => [word, word] as const),
  ...['inning', 'outing', 'canning'].flatMap((word) => [[word, word] as const, [`${word}s`, word] as const]),
]);

/** `c` or `v` for each letter: `y` is a vowel after a consonant. */
function shape(word: string): string {
  let letters = '';
  for (const letter of word) {
    const isVowel = 'aeiou'.includes(letter) || (letter === 'y' && letters.endsWith('c'));
    letters += isVowel ? 'v' : 'c';
  }
  return letters;
}

/** How often a consonant follows a vowel. */
const measure = (word: string): number => shape(word).split('vc').length - 1;
const hasVowel = (word: string): boolean => shape(word).includes('v');
const endsTwice = (word: string): boolean => /(.)\1$/.test(word) && shape(word).endsWith('c');
/** Ends as `-wil` and `-hop` do, or is as `at`. */
const endsShort = (word: string): boolean => {
  const letters = shape(word);
  return (letters.endsWith('cvc') && !/[wxy]$/.test(word)) || letters === 'vc';
};

/** `[suffix, replacement, condition of what is before it]` */
type Rule = readonly [suffix: string, replacement: string, applies?: (before: string) => boolean];
type Step = (word: string) => string;

/** The first rule with the suffix decides, also if it does not apply. */
const firstOf =
  (rules: readonly Rule[]): Step =>
  (word) => {
    const rule = rules.find(([suffix]) => word.endsWith(suffix));
    if (rule === undefined) return word;
    const [suffix, replacement, applies = () => true] = rule;
    const before = word.slice(0, word.length - suffix.length);
    return applies(before) ? before + replacement : word;
  };

const when = (
  applies: (before: string) => boolean,
  rules: Readonly<Record<string, string>>,
): readonly Rule[] => Object.entries(rules).map(([suffix, replacement]) => [suffix, replacement, applies]);
const isLong = (before: string): boolean => measure(before) > 0;
const isLonger = (before: string): boolean => measure(before) > 1;

const plurals = firstOf([
  ['sses', 'ss'],
  ['ies', 'i'],
  ['ss', 'ss'],
  ['s', ''],
]);

const pastAndGerund: Step = (word) => {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return isLong(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (suffix === undefined) return word;
  const before = word.slice(0, -suffix.length);
  if (/(?:at|bl|iz)$/.test(before)) return `${before}e`;
  if (endsTwice(before)) return /[lsz]$/.test(before) ? before : before.slice(0, -1);
  return measure(before) === 1 && endsShort(before) ? `${before}e` : before;
};

const DOUBLE = firstOf([
  ...when(isLong, {
    ational: 'ate',
    tional: 'tion',
    enci: 'ence',
    anci: 'ance',
    izer: 'ize',
    bli: 'ble',
    alli: 'al',
    entli: 'ent',
    eli: 'e',
    ousli: 'ous',
    ization: 'ize',
    ation: 'ate',
    ator: 'ate',
    alism: 'al',
    iveness: 'ive',
    fulness: 'ful',
    ousness: 'ous',
    aliti: 'al',
    iviti: 'ive',
    biliti: 'ble',
    fulli: 'ful',
  }),
  ['logi', 'log', (before) => isLong(`${before}l`)],
]);

const doubleSuffixes: Step = (word) =>
  word.endsWith('alli') && isLong(word.slice(0, -4)) ? doubleSuffixes(word.slice(0, -2)) : DOUBLE(word);

const adjectives = firstOf(
  when(isLong, { icate: 'ic', ative: '', alize: 'al', iciti: 'ic', ical: 'ic', ful: '', ness: '' }),
);

const single = (...suffixes: readonly string[]): readonly Rule[] =>
  suffixes.map((suffix) => [suffix, '', isLonger]);
const singleSuffixes = firstOf([
  ...single('al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent'),
  ['ion', '', (before) => isLonger(before) && /[st]$/.test(before)],
  ...single('ou', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize'),
]);

/** In their order; most are tables above. */
const STEPS: readonly Step[] = [
  (word) => (/^.ies$/.test(word) ? word.slice(0, -1) : plurals(word)),
  pastAndGerund,
  firstOf([['y', 'i', (before) => before.length > 1 && shape(before).endsWith('c')]]),
  doubleSuffixes,
  adjectives,
  singleSuffixes,
  firstOf([['e', '', (before) => isLonger(before) || (measure(before) === 1 && !endsShort(before))]]),
  firstOf([['ll', 'l', (before) => isLonger(`${before}l`)]]),
];

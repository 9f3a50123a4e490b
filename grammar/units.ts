/**
 * Suffixes of quantities: case-sensitive, `KB` is decimal, `KiB` binary. Factors are to bytes, seconds, tokens, steps, 1, and
 * per second or hour to bytes, operations and US dollars. The lexer takes the first that matches: `GB/s` is before `GB`.
 */
export const UNITS = {
  'MB/s': { measure: 'bandwidth', factor: 1e6 },
  'GB/s': { measure: 'bandwidth', factor: 1e9 },
  'TB/s': { measure: 'bandwidth', factor: 1e12 },
  'usd/h': { measure: 'hourly_price', factor: 1 },
  usd: { measure: 'price', factor: 1 },
  GFLOPS: { measure: 'rate', factor: 1e9 },
  TFLOPS: { measure: 'rate', factor: 1e12 },
  TOPS: { measure: 'rate', factor: 1e12 },
  KiB: { measure: 'bytes', factor: 2 ** 10 },
  MiB: { measure: 'bytes', factor: 2 ** 20 },
  GiB: { measure: 'bytes', factor: 2 ** 30 },
  TiB: { measure: 'bytes', factor: 2 ** 40 },
  KB: { measure: 'bytes', factor: 1e3 },
  MB: { measure: 'bytes', factor: 1e6 },
  GB: { measure: 'bytes', factor: 1e9 },
  TB: { measure: 'bytes', factor: 1e12 },
  B: { measure: 'bytes', factor: 1 },
  ms: { measure: 'seconds', factor: 1e-3 },
  s: { measure: 'seconds', factor: 1 },
  m: { measure: 'seconds', factor: 60 },
  h: { measure: 'seconds', factor: 3600 },
  d: { measure: 'seconds', factor: 86400 },
  tok: { measure: 'tokens', factor: 1 },
  steps: { measure: 'steps', factor: 1 },
  '%': { measure: 'ratio', factor: 0.01 },
} as const;

export type UnitSuffix = keyof typeof UNITS;

/** Words that people use for units, besides the units in other letters, and what they mean. */
const ALIASES: readonly (readonly [words: string, ...units: UnitSuffix[]])[] = [
  ['k kb', 'KB', 'KiB'],
  ['mb', 'MB', 'MiB'],
  ['g gb gig', 'GB', 'GiB'],
  ['tb', 'TB', 'TiB'],
  ['byte bytes', 'B'],
  ['msec', 'ms'],
  ['sec secs second seconds', 's'],
  ['min mins minute minutes', 'm'],
  ['hr hrs hour hours', 'h'],
  ['day days', 'd'],
  ['t tk toks token tokens', 'tok'],
  ['step', 'steps'],
  ['pct percent', '%'],
  ['gbps', 'GB/s'],
  ['tbps', 'TB/s'],
  ['dollar dollars', 'usd', 'usd/h'],
  ['gflop gflops', 'GFLOPS'],
  ['tflop tflops teraflops', 'TFLOPS'],
  ['top tops', 'TOPS'],
];
const MEANT = new Map(ALIASES.flatMap(([words, ...units]) => words.split(' ').map((word) => [word, units])));

/** The units that a word in another spelling may stand for: `gb` for `GB` and `GiB`; none for a word that is no unit. */
export function unitsMeantBy(word: string): readonly UnitSuffix[] {
  const lower = word.toLowerCase();
  const suffixes = Object.keys(UNITS) as UnitSuffix[];
  return MEANT.get(lower) ?? suffixes.filter((known) => known.toLowerCase() === lower);
}

/** Suffixes of quantities: case-sensitive, `KB` is decimal, `KiB` binary. Factors are to bytes, seconds, tokens, steps and 1. */
export const UNITS = {
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

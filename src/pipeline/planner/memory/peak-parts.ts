import { MEMORY_PARTS, type MemoryPart, type MemoryParts, type Peak } from '../types.js';

export const NO_PARTS: MemoryParts = {
  weights: 0,
  adapter: 0,
  gradients: 0,
  optimizer: 0,
  activations: 0,
  logits: 0,
  workspace: 0,
  runtime: 0,
};

export const sumOf = (parts: MemoryParts): number => MEMORY_PARTS.reduce((sum, part) => sum + parts[part], 0);

/** A peak whose interval is given as shares of the parts that are estimated rather than counted. */
export function peakOf(
  parts: Partial<MemoryParts>,
  spread: { readonly below: number; readonly above: number },
): Peak {
  const whole: Record<MemoryPart, number> = { ...NO_PARTS, ...parts };
  for (const part of MEMORY_PARTS) whole[part] = Math.ceil(whole[part]);
  const bytes = sumOf(whole);
  return {
    bytes,
    low: Math.max(0, Math.floor(bytes - spread.below)),
    high: Math.ceil(bytes + spread.above),
    parts: whole,
  };
}

export function largestPart(parts: MemoryParts): { readonly part: MemoryPart; readonly bytes: number } {
  return MEMORY_PARTS.map((part) => ({ part, bytes: parts[part] })).reduce((largest, one) =>
    one.bytes > largest.bytes ? one : largest,
  );
}

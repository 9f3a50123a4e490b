/** What an evaluation with a baseline says of each metric besides its value; in a `require` before the name, as `gain.bleu`. */
export const COMPARISONS = {
  baseline: 'The same metrics of the baseline.',
  gain: 'How much better each metric is than that of the baseline on the same rows; above 0 is better.',
  gain_low: 'The lower end of the 95% interval of the gain: above 0, the model is better, and not by chance.',
  gain_high: 'The upper end of the 95% interval of the gain: below 0, the model is worse, and not by chance.',
} as const satisfies Readonly<Record<string, string>>;

export type ComparisonName = keyof typeof COMPARISONS;

export const isComparisonName = (name: string): name is ComparisonName => Object.hasOwn(COMPARISONS, name);

/** Of a metric as events have it: `baseline.bleu` → `baseline`. */
export function comparisonOf(metric: string): ComparisonName | undefined {
  const word = metric.slice(0, Math.max(0, metric.lastIndexOf('.')));
  return isComparisonName(word) ? word : undefined;
}

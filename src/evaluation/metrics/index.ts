export { type MeasureOptions, measure, measureDifference } from './measure.js';
export { rougeL } from './rouge-l.js';
export { isMetricName, metrics } from './table.js';
export type { MeasuredRow, Measurement, Metric, MetricArgs, MetricName } from './types.js';
export { unigramSums } from './unigram.js';

export { measure, measureDifference } from './measure.js';
export { rougeL } from './rouge-l.js';
export { metrics } from './table.js';
export { unigramSums } from './unigram.js';

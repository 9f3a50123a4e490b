export { plot, seriesOf } from './plot.js';
export { query } from './query.js';
export { csv, metricsTable, metricsText, tableText } from './table.js';
export { VIEWS } from './views.js';

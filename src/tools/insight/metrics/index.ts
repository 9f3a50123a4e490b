export { csv } from './csv.js';
export { seriesOf } from './curves.js';
export { plot } from './plot.js';
export { query } from './query.js';
export { metricsTable } from './table.js';
export { metricsText, tableText } from './text.js';
export { VIEWS } from './views.js';

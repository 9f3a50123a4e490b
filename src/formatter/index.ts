export { type Formatted, formatText } from './format.js';

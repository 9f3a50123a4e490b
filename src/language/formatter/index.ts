export { formatText } from './format.js';

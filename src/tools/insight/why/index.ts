export { requireStage } from '../stage-names.js';
export { whyText } from './text.js';
export { type WhyAnswer, whyOf } from './why.js';

export { whyText } from './text.js';
export { requireStage, type WhyAnswer, whyOf } from './why.js';

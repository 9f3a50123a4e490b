export { requireStage } from '../settings/address.js';
export { whyText } from './text.js';
export { type WhyAnswer, whyOf } from './why.js';

export { addressOf } from './address.js';
export { type Answer, answerOf } from './answer.js';
export { answerText, setByText } from './text.js';

export { addressOf } from './address.js';
export { type Answer, answerOf } from './answer.js';
export { explainSettings, type Pipeline, type SettingExplanation } from './explain.js';
export { answerText, setByText } from './text.js';

export { answered, checklistGate, openItems } from './answer.js';
export { type Checklist, checklistOf } from './checklist.js';
export { checklistText } from './text.js';

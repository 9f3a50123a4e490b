import { type RowPrompt, systemOf, withSystem } from '../models/training-prompt.js';
import type { Prompt } from './chat.js';

/** A question as the rows asked that the model was trained on. */
export const askedAsTrained = (question: string, training: RowPrompt | undefined): Prompt =>
  training?.style === 'text'
    ? question
    : withSystem([{ role: 'user', content: question }], systemOf(training));

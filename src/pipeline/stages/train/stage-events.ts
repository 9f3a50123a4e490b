import { type TrainingEvent, tokensPerSecond } from '../../../compute/training/index.js';
import type { StageEvent } from '../../../language/ir/events.js';

/** What the loop reports, as an event of the stage. */
export function stageEvent(stage: string, event: TrainingEvent): StageEvent {
  switch (event.type) {
    case 'step': {
      const { step, epoch, loss, learningRate, gradNorm, tokens, seconds, preference } = event.record;
      return {
        type: 'stage.progress',
        stage,
        done: step,
        total: event.total,
        unit: 'steps',
        step,
        epoch,
        loss,
        learningRate,
        gradNorm,
        tokensPerSecond: tokensPerSecond(tokens, seconds),
        ...(preference !== undefined && { preference }),
      };
    }
    case 'validation': {
      const { type, ...measured } = event;
      return { type, stage, ...measured };
    }
    case 'checkpoint':
      return { type: 'checkpoint.saved', stage, step: event.step, path: event.path };
    case 'note':
      return { type: 'note', stage, text: event.text };
  }
}

/** While the reference of preferences is asked. */
export const askedEvent = (stage: string, done: number, total: number): StageEvent => ({
  type: 'stage.progress',
  ...{ stage, done, total, unit: 'rows', label: 'asking the reference' },
});

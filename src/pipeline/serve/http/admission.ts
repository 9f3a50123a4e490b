/** How many requests a model has at once: those of its batch, and a queue of limited length. */
import { ApiError } from '../openai/api-error.js';

/** What is known of a model's load, to tell clients when to come again. */
interface Load {
  /** Answers that are computed or wait. */
  answers: number;
  /** Seconds that an answer took lately. */
  seconds: number;
}

/** Of a new duration in the average. */
const RECENT = 0.1;
/** Seconds that an answer is thought to take before one was given. */
const UNKNOWN = 1;

export interface Place {
  /** `seconds`: how long it was taken; left out where nothing was answered. */
  leave(seconds?: number): void;
}

export interface Admission {
  /** Takes places for `answers` to be computed. Throws an `ApiError` (429) where the queue is full. */
  enter(model: { readonly info: { readonly rows: number } }, answers: number): Place;
}

export function admission(queue: number): Admission {
  const loads = new WeakMap<object, Load>();
  return {
    enter(model, answers) {
      const { rows } = model.info;
      const load = loads.get(model) ?? { answers: 0, seconds: UNKNOWN };
      loads.set(model, load);
      // a request of many answers is taken where nothing else is
      if (load.answers > 0 && load.answers + answers > rows + queue)
        throw new ApiError(
          429,
          `the server is busy: ${load.answers} answers are computed or wait; try again later`,
          {
            type: 'rate_limit_error',
            code: 'queue_full',
            retryAfter: (load.seconds * Math.max(1, load.answers - rows)) / rows,
          },
        );
      load.answers += answers;
      let isIn = true;
      return {
        leave: (seconds) => {
          if (!isIn) return;
          isIn = false;
          load.answers -= answers;
          if (seconds !== undefined) load.seconds += RECENT * (seconds - load.seconds);
        },
      };
    },
  };
}

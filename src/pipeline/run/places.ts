/** Which of the stages that have begun take memory: one that waits for another process gives its place to others meanwhile. */
import type { StagePlan } from './run-context.js';

/** What a stage has of the memory of a run, from its beginning on. */
export interface Place {
  /** It waits, and takes nothing. */
  leave(): void;
  /** Resolves once it has a place again, at once where it never left; with `false` if there will be none. */
  take(): Promise<boolean>;
}

export type Places = ReturnType<typeof openPlaces>;

export function openPlaces() {
  /** Those that wait; with an answer, for a place. */
  const away = new Map<StagePlan, ((isThere: boolean) => void) | undefined>();
  let tell = (): void => {};
  return {
    of: (plan: StagePlan): Place => ({
      leave: () => {
        away.set(plan, undefined);
        tell();
      },
      take: () =>
        away.has(plan)
          ? new Promise((resolve) => {
              away.set(plan, resolve);
              tell();
            })
          : Promise.resolve(true),
    }),
    isAway: (plan: StagePlan): boolean => away.has(plan),
    /** Those that want their place back: before others begin. */
    asking: (): readonly StagePlan[] =>
      [...away].flatMap(([plan, answer]) => (answer === undefined ? [] : [plan])),
    /** Says to one that asks whether it has a place. */
    answer(plan: StagePlan, isThere: boolean): void {
      const answer = away.get(plan);
      away.delete(plan);
      answer?.(isThere);
    },
    /** It has ended. */
    forget: (plan: StagePlan): void => void away.delete(plan),
    /** Resolves when one leaves or asks, from now on. */
    changed: (): Promise<void> =>
      new Promise((resolve) => {
        tell = resolve;
      }),
  };
}

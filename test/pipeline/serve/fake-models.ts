/** Models that compute nothing, for tests of what is around them. */
import type { Release } from '../../../src/pipeline/deploy/releases.js';
import type { RoutableModel } from '../../../src/pipeline/serve/router.js';

export interface FakeModel extends RoutableModel {
  readonly number: number;
  up: boolean;
  isClosed: boolean;
}

export interface FakeModels {
  /** All that were started, the first first. */
  readonly started: readonly FakeModel[];
  readonly open: () => readonly number[];
  /** Instead of starting a release at once. */
  wait: (number: number, signal: AbortSignal) => Promise<void>;
  readonly start: (release: Release, signal: AbortSignal) => Promise<FakeModel>;
}

export function fakeModels(memory = 1): FakeModels {
  const started: FakeModel[] = [];
  const models: FakeModels = {
    started,
    open: () => started.filter(({ isClosed }) => !isClosed).map(({ number }) => number),
    wait: async () => {},
    start: async ({ number }, signal) => {
      await models.wait(number, signal);
      const model: FakeModel = {
        number,
        info: { memory },
        up: true,
        isClosed: false,
        close: async () => {
          model.isClosed = true;
        },
      };
      started.push(model);
      return model;
    },
  };
  return models;
}

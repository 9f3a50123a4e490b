import { loadOf } from './model-slots.js';
import { NoModelError, type RoutableModel, type Router } from './router.js';

/** A router for one model that nothing takes the place of: a folder of a model, or one release. */
export function fixedRouter<Model extends RoutableModel>(
  model: Model,
  label: string,
  now: () => number,
): Router<Model> {
  const release = { number: 0, role: 'only' } as const;
  const since = now();
  let requests = 0;
  let closed: (() => void) | undefined;
  return {
    route: async () => {
      if (closed !== undefined) throw new NoModelError('the server ends', 5);
      requests++;
      let open = true;
      return {
        model,
        release,
        done: () => {
          if (open) requests--;
          open = false;
          if (requests === 0) closed?.();
        },
      };
    },
    releases: () => [
      {
        ...{ ...release, label, share: 1, since, requests, ...loadOf(model, requests) },
        state: closed === undefined ? 'serving' : 'draining',
      },
    ],
    ready: () => closed === undefined && model.up !== false,
    close: async () => {
      await new Promise<void>((resolve) => {
        closed = resolve;
        if (requests === 0) resolve();
      });
      await model.close();
    },
  };
}

/** Which methods a path takes: a route that is asked in another way is no unknown one (RFC 9110, 15.5.6). */
import type { FastifyInstance } from 'fastify';

/** Watches the routes of a server as they are added; the result gives the methods of a path without its query, in order. */
export function routeMethods(app: FastifyInstance): (path: string) => readonly string[] {
  const routes: { readonly path: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ path: patternOf(url), methods: [method].flat() });
  });
  return (path) => {
    const found = routes.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods);
    return [...new Set(found)].sort();
  };
}

/** `/v1/models/:id` and `/dashboard/*` as what they match. */
const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replaceAll('*', '.*')}$`,
  );

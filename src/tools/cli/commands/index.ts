import type { CommandTable } from '../command.js';

/** Every command, in the order of the help. */
export const commands: CommandTable = {
  check: async () => (await import('./check.js')).check,
  fmt: async () => (await import('./fmt.js')).fmt,
  test: async () => (await import('./test.js')).test,
  plan: async () => (await import('./plan.js')).plan,
  run: async () => (await import('./run.js')).run,
  lock: async () => (await import('./lock.js')).lock,
  preview: async () => (await import('./preview.js')).preview,
  generate: async () => (await import('./generate.js')).generate,
  classify: async () => (await import('./classify.js')).classify,
  chat: async () => (await import('./chat.js')).chat,
  releases: async () => (await import('./releases.js')).releases,
  rollback: async () => (await import('./rollback.js')).rollback,
  snapshot: async () => (await import('./snapshot.js')).snapshot,
  runtime: async () => (await import('./runtime.js')).runtime,
  doctor: async () => (await import('./doctor.js')).doctor,
  init: async () => (await import('./init.js')).init,
  explain: async () => (await import('./explain.js')).explain,
  graph: async () => (await import('./graph.js')).graph,
  why: async () => (await import('./why.js')).why,
  diff: async () => (await import('./diff.js')).diff,
  metrics: async () => (await import('./metrics.js')).metrics,
  docs: async () => (await import('./docs.js')).docs,
  'language-server': async () => (await import('./language-server.js')).languageServer,
  completion: async () => (await import('./completion.js')).completion(commands),
};

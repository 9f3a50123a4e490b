import type { CommandTable } from '../command.js';

/** Every command, by what it is for, in the order of the help. */
export const COMMAND_GROUPS: Readonly<Record<string, CommandTable>> = {
  'Write a pipeline': {
    init: async () => (await import('./init.js')).init,
    import: async () => (await import('./import.js')).importCommand,
    check: async () => (await import('./check.js')).check,
    fmt: async () => (await import('./fmt.js')).fmt,
    test: async () => (await import('./test.js')).test,
    preview: async () => (await import('./preview.js')).preview,
    explain: async () => (await import('./explain.js')).explain,
    docs: async () => (await import('./docs.js')).docs,
  },
  'Plan and run it': {
    plan: async () => (await import('./plan.js')).plan,
    run: async () => (await import('./run.js')).run,
    status: async () => (await import('./status.js')).status,
    logs: async () => (await import('./logs.js')).logs,
    stop: async () => (await import('./stop.js')).stop,
    unlock: async () => (await import('./unlock.js')).unlock,
    gc: async () => (await import('./gc.js')).gc,
    store: async () => (await import('./store.js')).store,
    lock: async () => (await import('./lock.js')).lock,
    snapshot: async () => (await import('./snapshot.js')).snapshot,
    eject: async () => (await import('./eject.js')).eject,
    track: async () => (await import('./track.js')).track,
  },
  'Understand runs': {
    metrics: async () => (await import('./metrics.js')).metrics,
    diff: async () => (await import('./diff.js')).diff,
    why: async () => (await import('./why.js')).why,
    graph: async () => (await import('./graph.js')).graph,
    checklist: async () => (await import('./checklist.js')).checklist,
  },
  'Use what was trained': {
    generate: async () => (await import('./generate.js')).generate,
    classify: async () => (await import('./classify.js')).classify,
    chat: async () => (await import('./chat.js')).chat,
    serve: async () => (await import('./serve.js')).serveCommand,
    releases: async () => (await import('./releases.js')).releases,
    ab: async () => (await import('./ab.js')).ab,
    promote: async () => (await import('./promote.js')).promote,
    rollback: async () => (await import('./rollback.js')).rollback,
  },
  'Set up': {
    runtime: async () => (await import('./runtime.js')).runtime,
    doctor: async () => (await import('./doctor.js')).doctor,
    'language-server': async () => (await import('./language-server.js')).languageServer,
    completion: async () => (await import('./completion.js')).completion(commands),
  },
};

/** Every command by its name. */
export const commands: CommandTable = Object.assign({}, ...Object.values(COMMAND_GROUPS));

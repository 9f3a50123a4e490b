/** The process that plans for the language server: a job in, a plan out; it ends with the server. */
import { compile } from '../../../language/compile.js';
import type { Host } from '../../../language/host/host.js';
import { nodeHost } from '../../../language/host/node-host.js';
import { pinProgram } from '../../../pipeline/hub/index.js';
import { lockedCommits } from '../../../pipeline/lock/index.js';
import { plan } from '../../../pipeline/planner/plan.js';
import type { PlanJob, PlanReply } from '../../language-server/plans.js';
import type { FromPlanChild } from './plan-process.js';

process.on('disconnect', () => process.exit(0));
process.on('message', (job: PlanJob) => {
  answer(job).then(
    (reply) => say({ type: 'reply', reply }),
    (error: unknown) =>
      say({ type: 'failed', trace: error instanceof Error ? (error.stack ?? '') : String(error) }),
  );
});

const say = (message: FromPlanChild): void => void process.send?.(message);

const NOTHING: PlanReply = { stages: [], diagnostics: [] };

async function answer({ cwd, file, params, machine, texts }: PlanJob): Promise<PlanReply> {
  const host = withTexts(nodeHost(cwd), texts);
  const { program } = compile(host, file, { params });
  if (program === undefined) return NOTHING;
  const pinned = await pinProgram(program, host, { offline: true, locked: lockedCommits(host, file) });
  if (pinned.program === undefined) return { ...NOTHING, diagnostics: pinned.diagnostics };
  // How fast this machine is, is measured by `ftpc plan`, not behind an editor's back.
  const { stages, diagnostics } = await plan(pinned.program, pinned.host, {
    machine,
    digests: pinned.digests,
    speed: async () => undefined,
  });
  return { stages, diagnostics };
}

function withTexts(host: Host, texts: Readonly<Record<string, string>>): Host {
  const textOf = (path: string): string | undefined => (Object.hasOwn(texts, path) ? texts[path] : undefined);
  return {
    ...host,
    readText: (path) => textOf(path) ?? host.readText(path),
    readBytes: (path, start = 0, length) => {
      const text = textOf(path);
      if (text === undefined) return host.readBytes(path, start, length);
      return new TextEncoder().encode(text).slice(start, length === undefined ? undefined : start + length);
    },
    stat: (path) => {
      const text = textOf(path);
      return text === undefined
        ? host.stat(path)
        : { size: Buffer.byteLength(text), isFolder: false, modified: host.now() };
    },
  };
}

/** The process that plans for the language server: a job in, a plan out; it ends with the server. */
import type { Host } from '../../../language/host/host.js';
import { nodeHost } from '../../../language/host/node-host.js';
import { prepare } from '../../../pipeline/prepare/index.js';
import type { PlanReply } from '../../language-server/plans.js';
import type { FromPlanChild, ToPlanChild } from './plan-process.js';

process.on('disconnect', () => process.exit(0));
process.on('message', (job: ToPlanChild) => {
  answer(job).then(
    (reply) => say({ type: 'reply', reply }),
    (error: unknown) =>
      say({ type: 'failed', trace: error instanceof Error ? (error.stack ?? '') : String(error) }),
  );
});

const say = (message: FromPlanChild): void => void process.send?.(message);

async function answer({ cwd, file, params, machine, texts, variables }: ToPlanChild): Promise<PlanReply> {
  const host = withVariables(withTexts(nodeHost(cwd), texts), new Set(variables));
  // How fast this machine is, is measured when someone asks `ftpc plan`, not while they type.
  const { plan, diagnostics } = await prepare(
    host,
    { file, params, machine },
    { hub: 'never', speed: 'unknown', shapes: true },
  );
  return { stages: plan?.stages ?? [], diagnostics: [...diagnostics, ...(plan?.diagnostics ?? [])] };
}

/** What this process was not given is known to be there. */
const withVariables = (host: Host, names: ReadonlySet<string>): Host => ({
  ...host,
  env: (name) => host.env(name) ?? (names.has(name) ? 'set' : undefined),
});

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

import { basename, join, resolve } from 'node:path';
import { readServerFacts, SERVE, serveFiles } from '../../../compute/packaging/servers/index.js';
import { percentText } from '../../../language/diagnostics/make.js';
import type { Disk } from '../../../language/host/disk.js';
import { nodeDisk } from '../../../language/host/node-disk.js';
import type { DeploySettings } from '../../../language/schemas/stages/deploy.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { type PublishedRelease, type PublishRequest, publish } from '../../deploy/publish.js';
import { smoke } from '../../deploy/smoke.js';
import { outputOf } from '../eval/evaluated-model.js';
import type { ResolvedModel } from '../resolve-models.js';
import type { RunStage, StageContext } from '../stage.js';
import { lineageOf, manifestDraft } from './manifest-draft.js';

/** Publishes a model or an adapter, once the run has found its gate open; the same content is the same release, however often it is deployed. */
export const run: RunStage = (context) => deploy(context, nodeDisk());

async function deploy(context: StageContext, disk: Disk): Promise<Awaited<ReturnType<RunStage>>> {
  const { stage, output } = context;
  const settings = settingsOf(stage, 'deploy');
  const published = await targets[settings.target.call]?.(settings, context, disk);
  if (published === undefined) throw new Error(`no target is named ${settings.target.call}`);
  const { number, path, action, digest, role } = published;
  const report = { version: 1, stage: stage.name, release: number, path, action, digest, role };
  const text = roleText(published, settings.canary);
  if (text !== undefined) context.emit({ type: 'note', stage: stage.name, text });
  output.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  return { outputs: { release: path, report: 'report.json' }, metrics: { release: number } };
}

/** What has become of a release that was to be a canary. */
function roleText({ number, role, action }: PublishedRelease, share: number | undefined): string | undefined {
  if (share === undefined) return undefined;
  if (role === 'canary') return `release ${number} is the canary: ${percentText(share)} of the requests`;
  return action === 'unchanged'
    ? `release ${number} is current already and gets every request, so it is no canary`
    : `release ${number} is current and gets every request: there was none that it could be a canary next to`;
}

type Target = (settings: DeploySettings, context: StageContext, disk: Disk) => Promise<PublishedRelease>;

/** How each target publishes, by the function that names it. */
const targets: Readonly<Record<string, Target>> = {
  directory: async (settings, context, disk) => {
    const { host, stage } = context;
    const folder = resolve(host.cwd, String(settings.target.args['path']));
    const model = settings.model;
    const { folder: source } = outputOf(model, context);
    const isAdapter = host.stat(join(source, 'adapter_config.json')) !== undefined;
    const { base, storage } = lineageOf(model, context);
    const request: PublishRequest = {
      folder,
      source,
      ...(settings.canary !== undefined && { canary: settings.canary }),
      draft: manifestDraft(model, isAdapter ? 'adapter' : 'model', folder, context),
      added: await addedFiles(basename(folder), source, base, context),
      smoke: (release) => {
        context.emit({ type: 'note', stage: stage.name, text: 'asking the release before it is published' });
        return smoke(host, folder, {
          folder: release,
          ...(isAdapter ? { base: base.folder, storage, seed: base.seed } : {}),
          prompt: settings.smoke,
          paged: context.residency === 'paged',
          runtime: context.runtime,
          ...(context.engine !== undefined && { engine: context.engine }),
          threads: context.threads,
          deviceMemory: context.deviceMemory,
          signal: context.signal,
        });
      },
    };
    return publish({ host, disk }, request);
  },
};

/** How the release is served by other programs, as files in it. */
async function addedFiles(
  name: string,
  folder: string,
  base: ResolvedModel,
  { host }: StageContext,
): Promise<Readonly<Record<string, string>>> {
  const { label, commit } = base;
  const hub = commit === undefined ? {} : { hub: { id: label, commit } };
  const facts = await readServerFacts(host, {
    name,
    folder,
    base: { folder: base.folder, label, ...hub },
  });
  return Object.fromEntries(
    Object.entries(serveFiles(facts)).map(([file, text]) => [`${SERVE}/${file}`, text]),
  );
}

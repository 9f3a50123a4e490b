import { basename, resolve } from 'node:path';
import { percentText } from '../../../language/diagnostics/make.js';
import type { Disk } from '../../../language/host/disk.js';
import { nodeDisk } from '../../../language/host/node-disk.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { DeploySettings } from '../../../language/schemas/stages/deploy.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { noteShare } from '../../deploy/canary.js';
import { type PublishedRelease, publish } from '../../deploy/publish.js';
import { writing } from '../../deploy/release-diagnostics.js';
import type { RunStage, StageContext } from '../stage.js';
import { deployElsewhere } from './elsewhere.js';
import { manifestDraft } from './manifest-draft.js';
import { addedFiles, askRelease, releasedModel, servedRelease } from './released-model.js';

/**
 * Publishes a model or an adapter, once the run has found its gate open; the same content is the same release, however
 * often it is deployed.
 */
export const run: RunStage = (context) => {
  const settings = settingsOf(context.stage, 'deploy');
  const isFolder = settings.target.call === 'directory';
  return isFolder ? deployToFolder(settings, context, nodeDisk()) : deployElsewhere(settings, context);
};

async function deployToFolder(
  settings: DeploySettings,
  context: StageContext,
  disk: Disk,
): Promise<StageResult> {
  const { stage, output, host } = context;
  const folder = resolve(host.cwd, String(settings.target.args['path']));
  const released = releasedModel(settings, context);
  const published = await publish(
    { host, disk },
    {
      folder,
      source: released.folder,
      ...(settings.canary !== undefined && { canary: settings.canary }),
      draft: manifestDraft(settings.model, released.kind, folder, context),
      added: addedFiles(await servedRelease(basename(folder), released, context)),
      smoke: (release) => askRelease(release, folder, released, settings, context),
    },
  );
  const { number, path, action, digest, role } = published;
  const report = { version: 1, stage: stage.name, release: number, path, action, digest, role };
  const text = roleText(published, settings.canary);
  if (text !== undefined) context.emit({ type: 'note', stage: stage.name, text });
  output.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  const share = writing(() => noteShare({ host, disk }, folder, number, settings.canary));
  const outputs = { release: path, report: 'report.json', ...(share !== undefined && { share }) };
  return { outputs, metrics: { release: number } };
}

/** What has become of a release that was to be a canary. */
function roleText({ number, role, action }: PublishedRelease, share: number | undefined): string | undefined {
  if (share === undefined) return undefined;
  if (role === 'canary') return `release ${number} is the canary: ${percentText(share)} of the requests`;
  return action === 'unchanged'
    ? `release ${number} is current already and gets every request, so it is no canary`
    : `release ${number} is current and gets every request: there was none that it could be a canary next to`;
}

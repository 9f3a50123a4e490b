/**
 * A release for another place than a folder: its files are gathered, the model is asked, and the place's own code
 * publishes them.
 */
import { basename, isAbsolute, join } from 'node:path';
import { openAnyModel } from '../../../compute/models/any-model.js';
import { digestFiles, filesBelow, MANIFEST, releaseDigest } from '../../../compute/packaging/manifest.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { StageResult } from '../../../language/ir/outputs.js';
import type { Stage } from '../../../language/ir/program.js';
import type { DeploySettings } from '../../../language/schemas/stages/deploy.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { PublishElsewhere, UploadMemory } from '../../deploy/elsewhere.js';
import type { AddedFiles } from '../../deploy/publish.js';
import { fileAt, fileOnDisk, textFile } from '../../deploy/release-file.js';
import { rowLicences } from '../data/licences.js';
import type { StageContext } from '../stage.js';
import { manifestDraft } from './manifest-draft.js';
import { releaseCard } from './release-card.js';
import {
  addedFiles,
  askRelease,
  type ReleasedModel,
  releasedModel,
  servedRelease,
} from './released-model.js';

const README = 'README.md';

/** Publishes through `context.publish`, and says where it is. */
export async function deployElsewhere(settings: DeploySettings, context: StageContext): Promise<StageResult> {
  const { stage, output, signal } = context;
  const { target } = settings;
  const { publishElsewhere: publish } = context;
  if (publish === undefined) throw new Error(`nothing publishes to ${target.call}`);
  const label = String(target.args['repository'] ?? target.args['name']);
  const released = releasedModel(settings, context);
  const { digest, files, draft, facts } = await gather(label, released, settings, context);
  const smoke = await askRelease(released.folder, label, released, settings, context);
  signal.throwIfAborted();
  const published = await atStage(
    stage,
    publish,
  )({
    target,
    files,
    facts,
    draft: { ...draft, smoke },
    digest,
    memory: uploadMemory(context),
    signal,
    progress: (done, total) =>
      context.emit({
        type: 'stage.progress',
        stage: stage.name,
        done,
        total,
        unit: 'bytes',
        label: `publishing ${label}`,
      }),
  });
  const { number, url, version, action } = published;
  context.emit({
    type: 'note',
    stage: stage.name,
    text:
      action === 'unchanged'
        ? `this release is there already: ${url}`
        : `${number === undefined ? 'the release' : `release ${number}`} is at ${url}`,
  });
  const report = {
    version: 1,
    stage: stage.name,
    release: number ?? null,
    url,
    commit: version,
    action,
    digest,
  };
  output.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  return { outputs: { report: 'report.json' }, metrics: number === undefined ? {} : { release: number } };
}

/** What goes wrong there is shown at the stage. */
const atStage =
  (stage: Stage, publish: PublishElsewhere): PublishElsewhere =>
  async (request) => {
    try {
      return await publish(request);
    } catch (error) {
      if (!(error instanceof UserError) || error.diagnostic.at !== undefined) throw error;
      throw new UserError({ ...error.diagnostic, at: stage.span });
    }
  };

async function gather(
  label: string,
  released: ReleasedModel,
  settings: DeploySettings,
  context: StageContext,
) {
  const { host, inputs } = context;
  const { folder, kind, base } = released;
  const names = filesBelow(host, folder).filter((name) => name !== MANIFEST);
  const sealed = digestFiles(host, folder, names);
  const all = manifestDraft(settings.model, kind, folder, context);
  const shown = isAbsolute(base.label) ? basename(base.label) : base.label;
  const draft = { ...all, base: { ...all.base, label: shown, folder: shown } };
  const release = await servedRelease(label.split('/').at(-1) ?? label, released, context);
  const { facts } = release;
  const card = releaseCard({
    name: label,
    before: names.includes(README) ? host.readText(join(folder, README)) : undefined,
    draft,
    stages: Object.values(inputs).map(({ stage }) => stage),
    baseId: base.commit === undefined ? undefined : base.label,
    isGguf: facts.kind === 'gguf',
    licence: openAnyModel(host, base.folder).licence(),
    rowLicencesOf: (stage) => [
      ...new Set(
        rowLicences(settingsOf(stage, 'data'), context.folder, host).flatMap(({ licences }) => licences),
      ),
    ],
  });
  // where the base was on this machine tells others nothing
  const { base: served } = facts;
  const added = addedFiles({
    ...release,
    facts: { ...facts, base: { ...served, label: shown, folder: served.hub?.id ?? shown } },
  });
  const made: AddedFiles = { ...added, [README]: card };
  const files = [
    ...names
      .filter((name) => name !== README && !Object.hasOwn(added, name))
      .flatMap((name) => {
        const each = sealed[name];
        return each === undefined ? [] : [fileOnDisk(host, folder, name, each)];
      }),
    ...Object.entries(made).map(([name, content]) =>
      typeof content === 'string' ? textFile(name, content) : fileAt(host, name, content.path),
    ),
  ];
  return { digest: releaseDigest(kind, sealed, draft.base.sha256), files, draft, facts };
}

const UPLOAD = 'upload.json';

/** What was begun is a commit of the work folder, which goes when the stage is complete. */
function uploadMemory({ work, host }: StageContext): UploadMemory {
  const folderOf = (name: string): string => `upload-${name}`;
  const known = new Set(work.committed());
  return {
    get: (name) =>
      known.has(folderOf(name)) ? host.readText(join(work.path, folderOf(name), UPLOAD)) : undefined,
    async set(name, text) {
      await work.commit(folderOf(name), { [UPLOAD]: text });
      known.add(folderOf(name));
    },
    drop(name) {
      if (known.delete(folderOf(name))) work.remove(folderOf(name));
    },
  };
}

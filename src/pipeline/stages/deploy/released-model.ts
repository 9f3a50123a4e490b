import { join } from 'node:path';
import type { ReleaseManifest } from '../../../compute/packaging/manifest.js';
import {
  readServerFacts,
  SERVE,
  type ServerFacts,
  serveFiles,
} from '../../../compute/packaging/servers/index.js';
import type { DeploySettings } from '../../../language/schemas/stages/deploy.js';
import { smoke } from '../../deploy/smoke.js';
import { outputOf } from '../eval/evaluated-model.js';
import type { ResolvedModel } from '../resolve-models.js';
import type { StageContext } from '../stage.js';
import { lineageOf } from './manifest-draft.js';

/** What a deploy stage releases. */
export interface ReleasedModel {
  /** Absolute. */
  readonly folder: string;
  readonly kind: ReleaseManifest['kind'];
  readonly base: ResolvedModel;
  /** How the base was held while the adapter was trained. */
  readonly storage: 'stored' | 'nf4';
}

export function releasedModel({ model }: DeploySettings, context: StageContext): ReleasedModel {
  const { folder } = outputOf(model, context);
  const isAdapter = context.host.stat(join(folder, 'adapter_config.json')) !== undefined;
  const { base, storage } = lineageOf(model, context);
  return { folder, kind: isAdapter ? 'adapter' : 'model', base, storage };
}

/** Asks what is in `folder` before it is published; `label` says where that will be. */
export function askRelease(
  folder: string,
  label: string,
  { kind, base, storage }: ReleasedModel,
  settings: DeploySettings,
  context: StageContext,
): Promise<ReleaseManifest['smoke']> {
  const { host, stage } = context;
  context.emit({ type: 'note', stage: stage.name, text: 'asking the release before it is published' });
  return smoke(host, label, {
    folder,
    ...(kind === 'adapter' ? { base: base.folder, storage, seed: base.seed } : {}),
    prompt: settings.smoke,
    paged: context.residency === 'paged',
    runtime: context.runtime,
    ...(context.engine !== undefined && { engine: context.engine }),
    threads: context.threads,
    deviceMemory: context.deviceMemory,
    signal: context.signal,
  });
}

export const serverFacts = (
  name: string,
  { folder, base }: ReleasedModel,
  { host }: Pick<StageContext, 'host'>,
): Promise<ServerFacts> => {
  const { label, commit } = base;
  const hub = commit === undefined ? {} : { hub: { id: label, commit } };
  return readServerFacts(host, { name, folder, base: { folder: base.folder, label, ...hub } });
};

/** How the release is served by other programs, as files in it. */
export const addedFiles = (facts: ServerFacts): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(serveFiles(facts)).map(([file, text]) => [`${SERVE}/${file}`, text]));

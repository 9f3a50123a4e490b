import { join } from 'node:path';
import { newTokensOf } from '../../../compute/models/added-tokens.js';
import { ModelError } from '../../../compute/models/types.js';
import { adapterGguf } from '../../../compute/packaging/gguf/index.js';
import type { ReleaseManifest } from '../../../compute/packaging/manifest.js';
import {
  readServerFacts,
  SERVE,
  type ServerFacts,
  serveFiles,
} from '../../../compute/packaging/servers/index.js';
import type { DeploySettings } from '../../../language/schemas/stages/deploy.js';
import type { AddedFiles } from '../../deploy/publish.js';
import { smoke } from '../../deploy/smoke.js';
import { outputOf } from '../eval/evaluated-model.js';
import { isMade } from '../open-models.js';
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

/** The output that a deploy stage names, an adapter or a whole model, with its base. */
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
    ...(kind === 'adapter'
      ? {
          base: base.folder,
          storage,
          seed: base.seed,
          ...newTokensOf(base),
        }
      : {}),
    prompt: settings.smoke,
    paged: context.residency === 'paged',
    runtime: context.runtime,
    ...(context.engine !== undefined && { engine: context.engine }),
    threads: context.threads,
    deviceMemory: context.deviceMemory,
    signal: context.signal,
  });
}

/** The adapter as llama.cpp and Ollama read it, in `serve/`. */
const ADAPTER_FILE = 'adapter.gguf';

interface ServedRelease {
  readonly facts: ServerFacts;
  /** The file of the adapter, where there is one. */
  readonly files: AddedFiles;
}

/** What the release is to servers; an adapter is written as a GGUF file where llama.cpp has a form for it. */
export async function servedRelease(
  name: string,
  { folder, kind, base }: ReleasedModel,
  { host, work }: Pick<StageContext, 'host' | 'work'>,
): Promise<ServedRelease> {
  const { label, commit } = base;
  const hub = commit === undefined ? {} : { hub: { id: label, commit } };
  const facts = await readServerFacts(host, { name, folder, base: { folder: base.folder, label, ...hub } });
  if (kind !== 'adapter' || isMade(base)) return { facts, files: {} };
  try {
    const file = adapterGguf(host, folder, base.folder);
    const scratch = work.scratch();
    scratch.write(ADAPTER_FILE, file.chunks());
    const path = join(scratch.path, ADAPTER_FILE);
    return {
      facts: { ...facts, adapterFile: ADAPTER_FILE },
      files: { [`${SERVE}/${ADAPTER_FILE}`]: { path } },
    };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { facts, files: {} };
  }
}

/** How the release is served by other programs, as files in it. */
export const addedFiles = ({ facts, files }: ServedRelease): AddedFiles => ({
  ...Object.fromEntries(Object.entries(serveFiles(facts)).map(([file, text]) => [`${SERVE}/${file}`, text])),
  ...files,
});

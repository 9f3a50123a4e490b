/** What the process of a stage gets of the environment besides what every process gets. */

import { nodeHost } from '../../language/host/node-host.js';
import { MAPPED_IN_STAGES } from '../../language/host/shareable.js';
import { isSecret } from '../../language/ir/values.js';
import { judgesOf } from '../../language/schemas/functions/metric.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { lookUp } from '../../language/source/look-up.js';
import { isPresent } from '../hub/cache.js';
import { secretOf } from '../hub/calls.js';
import { wanted } from '../hub/fetch.js';
import { isSealed } from '../hub/seals.js';
import type { StageTask } from './messages.js';

/**
 * The variables that open the repositories of which a stage has still to fetch files, or may find damaged ones, those
 * of the place that it publishes to, and of the servers that it asks. A model's code, if it ever ran, would find no
 * other token.
 */
export function neededBy(task: StageTask): ReadonlySet<string> {
  return new Set([...readingSecrets(task), ...publishing(task), ...judging(task)]);
}

/** The way to what a release is published to. */
function publishing({ stage }: StageTask): readonly string[] {
  if (stage.kind !== 'deploy') return [];
  const { target } = settingsOf(stage, 'deploy');
  const secret = secretOf(target);
  return [...(secret === undefined ? [] : [secret]), ...(target.call === 'ollama' ? ['OLLAMA_HOST'] : [])];
}

/** The keys of the servers that judge answers. */
const judging = ({ stage }: StageTask): readonly string[] =>
  stage.kind === 'eval'
    ? judgesOf(settingsOf(stage, 'eval').metrics).flatMap(({ endpoint: { args } }) =>
        isSecret(args['key']) ? [args['key'].env] : [],
      )
    : [];

function readingSecrets(task: StageTask): ReadonlySet<string> {
  if (!task.repositories.some(({ secret }) => secret !== undefined)) return new Set();
  const host = nodeHost(task.cwd);
  const inputs = Object.values(task.inputs).map(({ stage }) => stage);
  const missing = wanted({ ...task, inputs }).filter((pinned) =>
    pinned.files.some((file) => !isPresent(host, pinned, file) || !isSealed(host, pinned, file)),
  );
  return new Set(missing.flatMap(({ secret }) => (secret === undefined ? [] : [secret])));
}

/** Of a stage's process. Python processes get the same variables, and PyTorch would map and unmap the memory of each tensor. */
export const stageVariables = ({
  threads,
  runtime,
  engine,
}: Pick<StageTask, 'threads' | 'runtime' | 'engine'>) =>
  runtimeVariables(threads, engine === undefined ? runtime : 'accelerate');

/**
 * What has to be set before a runtime is loaded. Threads: each library counts the cores by itself, and two
 * pools on the same cores slow each other down.
 */
export function runtimeVariables(threads: number, runtime: string): Readonly<Record<string, string>> {
  const mapped = lookUp(MAPPED_IN_STAGES, runtime);
  return {
    OMP_NUM_THREADS: String(threads),
    RAYON_NUM_THREADS: String(threads),
    // each session of ONNX Runtime has threads of its own, and memory that one's freed would serve no other: 10 MiB in a training
    ...(runtime === 'onnx' ? { MALLOC_ARENA_MAX: '2' } : {}),
    ...(mapped === undefined ? {} : { MALLOC_MMAP_THRESHOLD_: String(mapped) }),
    TOKENIZERS_PARALLELISM: threads > 1 ? 'true' : 'false',
  };
}

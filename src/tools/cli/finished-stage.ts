import type { ParamValues } from '../../language/check/overrides.js';
import type { RunStatus } from '../../language/ir/events.js';
import type { Stage } from '../../language/ir/types.js';
import { prepare } from '../../pipeline/prepare/index.js';
import type { Artefact } from '../../pipeline/stages/stage.js';
import { openStore } from '../../pipeline/store/index.js';
import { unknown } from './arguments.js';
import { diagnosticsPrinter } from './diagnostics.js';
import { execute } from './execute.js';
import { linesView } from './progress/lines.js';
import { UsageError } from './usage-error.js';
import type { World } from './world.js';

/** The output of a data or format stage, which runs first, with what it needs, where it is not in the store. */
export async function finished(
  world: World,
  file: string,
  params: ParamValues,
  name: string,
): Promise<Artefact | { readonly status: RunStatus }> {
  const { host } = world;
  const { program, plan, compiled, diagnostics } = await prepare(host, { file, params });
  if (program === undefined) {
    const printer = await diagnosticsPrinter(world, compiled.sources);
    for (const text of printer.pretty(diagnostics)) world.err(text);
    return { status: 'failed' };
  }
  const stage = await rowsStage(program.stages, name);
  const key = plan?.stages.find((planned) => planned.name === name)?.key;
  if (key === undefined) throw new Error(`the plan knows no stage ${name}`);
  const store = openStore(host.cwd);
  const found = store.find(key);
  if (found !== undefined) return { stage, path: found.path, key, result: found.record.result };
  const { status } = await execute(
    world,
    { file, params, verify: false, only: name },
    linesView(world, world.err),
  );
  const made = store.find(key);
  // A requirement that fails says nothing against looking at the rows.
  if (made === undefined) return { status };
  return { stage, path: made.path, key, result: made.record.result };
}

async function rowsStage(stages: readonly Stage[], name: string): Promise<Stage> {
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage === undefined)
    throw await unknown(
      'stage',
      name,
      stages.map((known) => known.name),
    );
  if (stage.kind !== 'data' && stage.kind !== 'format')
    throw new UsageError(
      `\`${name}\` is a ${stage.kind} stage; only data and format stages output rows`,
      'preview',
    );
  return stage;
}

import type { ParamValues } from '../../language/check/overrides.js';
import { harmless } from '../../language/diagnostics/render/index.js';
import type { RunStatus } from '../../language/ir/events.js';
import type { Stage } from '../../language/ir/program.js';
import { prepare } from '../../pipeline/prepare/index.js';
import { type PreviewRow, previewTokens } from '../../pipeline/stages/format/preview.js';
import type { Artefact } from '../../pipeline/stages/stage.js';
import { openStore } from '../../pipeline/store/index.js';
import type { CliContext } from './cli-context.js';
import { UsageError, unknown } from './command.js';
import { printDiagnostics } from './diagnostics-printer.js';
import { execute, ROWS_ONLY } from './execute.js';
import { linesView } from './progress/views.js';

/** The output of a data or format stage, which runs first, with what it needs, where it is not in the store. */
export async function stageOutput(
  context: CliContext,
  file: string,
  params: ParamValues,
  name: string,
): Promise<Artefact | { readonly status: RunStatus }> {
  const { host } = context;
  const { program, plan, compiled, diagnostics } = await prepare(host, { file, params }, ROWS_ONLY);
  if (program === undefined) {
    await printDiagnostics(context, diagnostics, compiled.sources);
    return { status: 'failed' };
  }
  const stage = await rowsStage(program.stages, name);
  const key = plan?.stages.find((planned) => planned.name === name)?.key;
  if (key === undefined) throw new Error(`the plan knows no stage ${name}`);
  const store = openStore(host.cwd, host.store);
  const found = store.find(key);
  if (found !== undefined) return { stage, path: found.path, key, result: found.record.result };
  const { status } = await execute(
    context,
    { file, params, verify: false, only: name, rowsOnly: true },
    linesView(context, context.err),
  );
  const made = store.find(key);
  // A requirement that fails says nothing against looking at the rows.
  if (made === undefined) return { status };
  return { stage, path: made.path, key, result: made.record.result };
}

async function rowsStage(stages: readonly Stage[], name: string): Promise<Stage> {
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage === undefined)
    throw unknown(
      'stage',
      name,
      stages.map((known) => known.name),
    );
  if (stage.kind !== 'data' && stage.kind !== 'format')
    throw new UsageError(`\`${name}\` is a ${stage.kind} stage; only data and format stages output rows`);
  return stage;
}

/** Marks of the supervised part if there are no colours. */
const OPEN = '⟦';
const CLOSE = '⟧';

/** A row for people: its place, then its text with what the loss counts set off. */
export async function rowLines(
  context: CliContext,
  artefact: Artefact,
  row: PreviewRow,
): Promise<readonly string[]> {
  const { bold, dim, green, isColorSupported } = context.colours.out;
  const place = dim(harmless(`${row.file}:${row.line}`));
  if (artefact.stage.kind === 'data') return [place, harmless(row.text), ''];
  const parts = await previewTokens(context.host, artefact, row);
  const text = parts.map(({ text: written, supervised }) => {
    const part = harmless(written);
    if (!supervised) return part;
    return isColorSupported ? eachLine(part, (line) => green(bold(line))) : `${OPEN}${part}${CLOSE}`;
  });
  const learnt = row.label === undefined ? `${row.supervised} supervised` : `label ${harmless(row.label)}`;
  const counts = dim(`${row.input_ids.length} tokens, ${learnt}`);
  return [`${place}  ${counts}`, text.join(''), ''];
}

/** A colour that spans a line break bleeds into pagers. */
const eachLine = (text: string, paint: (line: string) => string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : paint(line)))
    .join('\n');

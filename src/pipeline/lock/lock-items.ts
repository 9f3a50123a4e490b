/** What a pipeline reads, by the names of a lock, each with the places where it is named. */
import { relative, resolve } from 'node:path';
import { textAt } from '../../language/check/stage-settings.js';
import type { Analysis } from '../../language/compile.js';
import type { Call, Program, Stage, StageKind, Value } from '../../language/ir/program.js';
import { isCall, isFile } from '../../language/ir/values.js';
import { isMadeUp, isShipped } from '../../language/schemas/functions/source.js';
import type { Lock } from '../../language/schemas/lock-file.js';
import { type Repository, repositoryOf } from '../../language/schemas/repositories.js';
import { functionNamed } from '../../language/schemas/setting-paths.js';
import type { Span } from '../../language/source/span.js';
import type { Expression } from '../../language/syntax/ast.js';

type LockSection = 'models' | 'data' | 'files' | 'modules';

export interface LockItem {
  readonly section: LockSection;
  /** Key in the lock. */
  readonly key: string;
  /** For people. */
  readonly what: string;
  /** Where it is named first. */
  readonly at: Span | undefined;
  /** Of models and data: the calls that name it. */
  readonly calls: readonly Call[];
  /** Kinds of the stages that name it. */
  readonly readers: readonly StageKind[];
  /** Of files: its path as written and its digest; of modules: its digest. */
  readonly file?: { readonly path: string; readonly sha256: string };
}

/** Everything that the program reads, each once, in the order in which it is named. */
export function lockItems(program: Program, analysis: Analysis): readonly LockItem[] {
  const found = new Map<string, LockItem>();
  const written = new Set<string>();
  const add = (named: LockItem, isWritten: boolean): void => {
    const id = `${named.section} ${named.key}`;
    const before = found.get(id);
    // A format has the model of the stage that trains on it: what is written is where it is written.
    const at = before === undefined || (isWritten && !written.has(id)) ? named.at : before.at;
    if (isWritten) written.add(id);
    found.set(
      id,
      before === undefined
        ? named
        : {
            ...before,
            at,
            calls: [...before.calls, ...named.calls],
            readers: [...before.readers, ...named.readers],
          },
    );
  };
  const place = (stage: Stage, path: string) => {
    const at = placeOf(analysis, stage.name, path);
    return { at, isWritten: at !== undefined && at !== stage.span };
  };
  const walk = (stage: Stage, path: string, value: Value): void => {
    if (isFile(value)) {
      const key = posix(relative(program.folder, resolve(program.folder, value.file)));
      const { at, isWritten } = place(stage, path);
      add(
        {
          section: 'files',
          key,
          what: `\`${value.file}\``,
          at,
          calls: [],
          readers: [stage.kind],
          file: { path: resolve(program.folder, value.file), sha256: value.sha256 },
        },
        isWritten,
      );
    } else if (isCall(value)) {
      const named = namedCall(value);
      const { at, isWritten } = place(stage, path);
      if (named !== undefined) add({ ...named, at, readers: [stage.kind] }, isWritten);
      for (const [name, arg] of Object.entries(value.args)) walk(stage, `${path}.${name}`, arg);
    } else if (value !== null && typeof value === 'object') {
      for (const [name, field] of Object.entries(value)) walk(stage, `${path}.${name}`, field as Value);
    }
  };
  for (const stage of program.stages)
    for (const [name, value] of Object.entries(stage.settings)) walk(stage, name, value);
  return [...found.values()];
}

const posix = (path: string): string => path.replaceAll('\\', '/');

/** A call of a model or a source, by the name that a lock has for it. */
function namedCall(call: Call): Omit<LockItem, 'at' | 'readers'> | undefined {
  const family = functionNamed(call.call)?.family;
  if (family !== 'model' && family !== 'source' && family !== 'adapter') return undefined;
  // rows that are made up have no files, and those of ftpc come with its version
  if (isMadeUp(call) || isShipped(call)) return undefined;
  const repository = repositoryOf(call);
  const name =
    repository === undefined
      ? String(call.args['files'] ?? call.args['folder'] ?? call.args['file'] ?? '')
      : `${repository.id}@${repository.revision}`;
  return {
    section: family === 'source' ? 'data' : 'models',
    key: `${call.call} ${posix(name)}`.trim(),
    what: `\`${repository?.id ?? (name === '' ? `${call.call}()` : name)}\``,
    calls: [call],
  };
}

const FUNCTION = { model: 'hf', dataset: 'hub' } as const;

/** The key of a repository in a lock. */
export const repositoryKey = ({ kind, id, revision }: Repository): string =>
  `${FUNCTION[kind]} ${id}@${revision}`;

/** The commit that a lock has for a repository. */
export const lockedCommit = (lock: Lock | undefined, repository: Repository): string | undefined =>
  ownOf((repository.kind === 'model' ? lock?.models : lock?.data) ?? {}, repositoryKey(repository))?.commit;

/** Names of others may be those of what every object inherits. */
export const ownOf = <T>(values: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(values, key) ? values[key] : undefined;

/**
 * The place of `base` or `source.0` or `mix.general`; where it is a parameter, that of the parameter's value.
 * What a preset set is where the stage begins.
 */
export function placeOf(analysis: Analysis, stage: string, path: string): Span | undefined {
  const checked = analysis.stages.find((candidate) => candidate.stage.name === stage);
  if (checked === undefined) return undefined;
  const text = textAt(checked.block.properties, path);
  return text === undefined ? checked.stage.span : declared(analysis, text.expression).span;
}

/** The first place that is written, of what several stages have: a format has the model of the stage that trains on it. */
export function firstPlace(
  analysis: Analysis,
  named: readonly { readonly stage: Stage; readonly path: string }[],
): Span | undefined {
  const places = named.map(({ stage, path }) => ({ stage, at: placeOf(analysis, stage.name, path) }));
  return (places.find(({ stage, at }) => at !== stage.span) ?? places[0])?.at;
}

function declared(analysis: Analysis, expression: Expression): Expression {
  if (expression.kind !== 'reference' || expression.path.length !== 1) return expression;
  const name = expression.path[0]?.text;
  const param = analysis.main.tree.params.find((candidate) => candidate.name.text === name);
  return param?.value === undefined ? expression : declared(analysis, param.value);
}

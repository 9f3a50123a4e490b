/** Which matrices a stage's settings follow from: by itself, through names of its file, and through its inputs. */
import type { StageKind } from '../ir/program.js';
import { schemas } from '../schemas/stages/index.js';
import type { Block, Preset, SourceFile, Word } from '../syntax/ast.js';
import { pathsIn } from '../syntax/references.js';

type Path = readonly Word[];

/** Matrices by the name of the stage, budget or parameter, in order of declaration; the graph of the names may have cycles. */
export function matricesOf(tree: SourceFile): ReadonlyMap<string, readonly string[]> {
  const matrices = tree.matrices.map(({ name }) => name.text);
  const blocks = new Map(tree.blocks.map((block) => [block.name.text, block]));
  const paths = new Map<string, readonly Path[]>([
    ...tree.params.map(({ name, value }) => [name.text, value === undefined ? [] : pathsIn(value)] as const),
    ...tree.presets.map((preset) => [preset.name.text, pathsOf(preset, preset.target)] as const),
    ...tree.blocks.map((block) => [block.name.text, pathsOf(block, block.kind)] as const),
  ]);
  const mentions = new Map(
    [...paths].map(([name, found]) => [
      name,
      found.filter((path) => isMention(path, blocks)).map(([word]) => word?.text ?? ''),
    ]),
  );
  return new Map(
    [...tree.blocks, ...tree.params].map(({ name }) => {
      const reached = reach(name.text, mentions);
      return [name.text, matrices.filter((matrix) => reached.has(matrix))];
    }),
  );
}

const pathsOf = ({ using, properties, requirements }: Block | Preset, kind: Word): readonly Path[] => [
  ...using.map((word) => [word]),
  ...properties.flatMap(({ value }) => pathsIn(value)),
  ...requirements.flatMap(({ condition }) => pathsIn(condition)).filter((path) => !isMetric(path, kind.text)),
];

/** `require rows >= 500` refers to no stage `rows`. */
const isMetric = ([word, port]: Path, kind: string): boolean =>
  port === undefined &&
  word !== undefined &&
  Object.hasOwn(schemas, kind) &&
  Object.hasOwn(schemas[kind as StageKind].metrics, word.text);

/** `loss_on = all` refers to no stage `all`, unless such a stage outputs something without a port. */
function isMention([word, port]: Path, blocks: ReadonlyMap<string, Block>): boolean {
  const kind = blocks.get(word?.text ?? '')?.kind.text;
  if (kind === undefined || port !== undefined) return true;
  return Object.hasOwn(schemas, kind) && '' in schemas[kind as StageKind].ports;
}

function reach(start: string, mentions: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set([start]);
  // What is added while the set is walked is walked too.
  for (const name of found) for (const next of mentions.get(name) ?? []) found.add(next);
  return found;
}

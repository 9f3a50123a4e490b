/** Which matrices a stage's settings follow from: by itself, through names of its file, and through its inputs. */
import { schemas } from '../stages/schemas.js';
import type { Block, Preset, SourceFile, Word } from '../syntax/ast.js';
import { pathsIn } from '../syntax/references.js';

type Path = readonly Word[];

/** Matrices by the name of the stage or budget, in order of declaration; the graph of the names may have circles. */
export function matricesOf(tree: SourceFile): ReadonlyMap<string, readonly string[]> {
  const matrices = tree.matrices.map(({ name }) => name.text);
  const blocks = new Map(tree.blocks.map((block) => [block.name.text, block]));
  const paths = new Map<string, readonly Path[]>([
    ...tree.params.map(({ name, value }) => [name.text, value === undefined ? [] : pathsIn(value)] as const),
    ...[...tree.presets, ...tree.blocks].map((body) => [body.name.text, pathsOf(body)] as const),
  ]);
  const mentions = new Map(
    [...paths].map(([name, found]) => [
      name,
      found.filter((path) => isMention(path, blocks)).map(([word]) => word?.text ?? ''),
    ]),
  );
  return new Map(
    tree.blocks.map(({ name }) => {
      const reached = reach(name.text, mentions);
      return [name.text, matrices.filter((matrix) => reached.has(matrix))];
    }),
  );
}

const pathsOf = ({ using, properties, requirements }: Block | Preset): readonly Path[] => [
  ...using.map((word) => [word]),
  ...properties.flatMap(({ value }) => pathsIn(value)),
  ...requirements.flatMap(({ condition }) => pathsIn(condition)),
];

/** `loss_on = all` speaks of no stage `all`, unless such a stage hands something on without a port. */
function isMention([word, port]: Path, blocks: ReadonlyMap<string, Block>): boolean {
  const kind = blocks.get(word?.text ?? '')?.kind.text;
  if (kind === undefined || port !== undefined) return true;
  return Object.hasOwn(schemas, kind) && '' in schemas[kind as keyof typeof schemas].ports;
}

function reach(start: string, mentions: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set([start]);
  // What is added while the set is walked is walked too.
  for (const name of found) for (const next of mentions.get(name) ?? []) found.add(next);
  return found;
}

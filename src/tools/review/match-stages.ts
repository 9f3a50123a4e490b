/** Which stage of a plan was which stage of another: by name, by what it makes, or by how alike they are. */
import type { SettingOutline, StageOutline } from './types.js';

export interface StageMatch {
  readonly before?: StageOutline;
  readonly after?: StageOutline;
}

/** Share of settings that must be equal for two names to be one stage. */
const ALIKE = 0.6;

type Rule = (before: StageOutline, after: StageOutline) => boolean;

const sameName: Rule = (before, after) => before.name === after.name;
const sameOutput: Rule = ({ identity: a }, { identity: b }) =>
  a !== undefined && b !== undefined && a.key !== '' && a.key === b.key;

/** Strongest first: a stage that kept its name is itself; then one that makes the same under another name. */
const RULES: readonly Rule[] = [sameName, sameOutput];

/** In the order of the stages after; removed stages come last. */
export function matchStages(
  before: readonly StageOutline[],
  after: readonly StageOutline[],
): readonly StageMatch[] {
  const partner = new Map<StageOutline, StageOutline>();
  const free = new Set(before);
  const pair = (one: StageOutline, other: StageOutline): void => {
    partner.set(other, one);
    free.delete(one);
  };
  for (const rule of RULES)
    for (const stage of after) {
      if (partner.has(stage)) continue;
      const found = [...free].find((one) => one.kind === stage.kind && rule(one, stage));
      if (found !== undefined) pair(found, stage);
    }
  for (const { one, other } of alikePairs(
    [...free],
    after.filter((stage) => !partner.has(stage)),
  ))
    if (free.has(one) && !partner.has(other)) pair(one, other);
  return [
    ...after.map((stage): StageMatch => ({ before: partner.get(stage), after: stage })),
    ...before.filter((stage) => free.has(stage)).map((stage): StageMatch => ({ before: stage })),
  ];
}

/** Most alike first. */
function alikePairs(before: readonly StageOutline[], after: readonly StageOutline[]) {
  return before
    .flatMap((one) =>
      after
        .filter(({ kind }) => kind === one.kind)
        .map((other) => ({ one, other, alike: likeness(one, other) })),
    )
    .filter(({ alike }) => alike >= ALIKE)
    .sort((a, b) => b.alike - a.alike);
}

/** Share of equal settings; what a setting refers to may have another name. */
function likeness(one: StageOutline, other: StageOutline): number {
  const paths = new Set([...Object.keys(one.settings), ...Object.keys(other.settings)]);
  const equal = [...paths].filter((path) => {
    const [a, b] = [one.settings[path], other.settings[path]];
    return a !== undefined && b !== undefined && shape(a, b) === shape(b, a);
  });
  return paths.size === 0 ? 1 : equal.length / paths.size;
}

const shape = (setting: SettingOutline, other: SettingOutline): string =>
  setting.refers === undefined && other.refers === undefined ? setting.text : portOf(setting.text);

/** `adapter.best` → `.best` */
const portOf = (text: string): string => text.replace(/^[^.]*/, '');

/** New names of stages by their old ones, of those that have another name now. */
export function renamesOf(pairs: readonly StageMatch[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.flatMap(({ before, after }) =>
      before === undefined || after === undefined || before.name === after.name
        ? []
        : [[before.name, after.name] as const],
    ),
  );
}

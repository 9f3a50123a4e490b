/** Every setting there is, at whatever depth, with the line that sets it: for messages, and for questions about a name. */
import { functions } from './functions/index.js';
import type { Setting, SettingType } from './schema.js';
import { schemas } from './stages/index.js';

/** One place that a name is a setting of. */
export interface SettingSpot {
  /** The kind of its block: `train`. */
  readonly kind: string;
  /** Its path in the block, without the names of functions: `optimizer.schedule.warmup`. */
  readonly path: string;
  /** The functions of which it is an argument; empty for settings of the block and of records. */
  readonly callees: readonly string[];
  readonly setting: Setting;
  /** The line of the block that sets it: `optimizer = adamw(rate: 2e-4)`. */
  readonly line: (value: string) => string;
  /** What is written for it in the setting that holds it, where that is there: `schedule: cosine(warmup: 3%)`. */
  readonly part: (value: string) => string;
}

/** Further down there is nothing: functions take functions at most twice. */
const DEEPEST = 4;

type Wrap = (inner: string) => string;

/** `name: value`, after what must be set besides it. */
function among(fields: Readonly<Record<string, Setting>>, name: string, value: string): string {
  const needed = Object.keys(fields).filter((key) => key !== name && fields[key]?.required === true);
  return [...needed.map((key) => `${key}: …`), `${name}: ${value}`].join(', ');
}

const inside = (part: Wrap | undefined, whole: string, alone: string): string =>
  part === undefined ? alone : part(whole);

type Place = Omit<SettingSpot, 'line' | 'part'>;

/** `part` is absent at the top. */
function visit(at: Place, wrap: Wrap, part: Wrap | undefined, found: Map<string, SettingSpot>): void {
  const key = `${at.kind}.${at.path}`;
  const known = found.get(key);
  if (known === undefined) found.set(key, { ...at, line: wrap, part: part ?? wrap });
  else if (at.callees.length > 0)
    found.set(key, { ...known, callees: [...new Set([...known.callees, ...at.callees])] });
  if (at.path.split('.').length > DEEPEST) return;
  for (const type of parts(at.setting.type)) {
    if (type.kind === 'record')
      for (const [name, setting] of Object.entries(type.fields))
        visit(
          { ...at, path: `${at.path}.${name}`, callees: [], setting },
          (value) => wrap(`{ ${among(type.fields, name, value)} }`),
          (value) => inside(part, `{ ${name}: ${value} }`, `${name}: ${value}`),
          found,
        );
    if (type.kind !== 'call') continue;
    for (const [callee, { family, args }] of Object.entries(functions))
      for (const [name, setting] of family === type.family ? Object.entries(args) : [])
        visit(
          { ...at, path: `${at.path}.${name}`, callees: [callee], setting },
          (value) => wrap(`${callee}(${among(args, name, value)})`),
          (value) => inside(part, `${callee}(${name}: ${value})`, `${name}: ${value}`),
          found,
        );
  }
}

const parts = (type: SettingType): readonly SettingType[] =>
  type.kind === 'union' ? type.of.flatMap(parts) : type.kind === 'list' ? [] : [type];

let spots: ReadonlyMap<string, SettingSpot> | undefined;

/** By kind and path: `train.optimizer.rate`. Of functions that share an argument, the first one's. */
export function settingSpots(): ReadonlyMap<string, SettingSpot> {
  if (spots !== undefined) return spots;
  const found = new Map<string, SettingSpot>();
  for (const [kind, { settings }] of Object.entries(schemas))
    for (const [name, setting] of Object.entries(settings))
      visit({ kind, path: name, callees: [], setting }, (value) => `${name} = ${value}`, undefined, found);
  spots = found;
  return found;
}

/** Where a name is a setting, the outermost first; `name` may be a path or its end: `lora.rank`, `train.lora.rank`. */
export const spotsNamed = (name: string): readonly SettingSpot[] =>
  [...settingSpots()]
    .filter(([path]) => path === name || path.endsWith(`.${name}`))
    .map(([, spot]) => spot)
    .sort((a, b) => depth(a) - depth(b));

const depth = ({ path }: SettingSpot): number => path.split('.').length;

/** The type that an expression at the cursor should have, and the table of keys where a key is expected. */
import { PARAM_TYPES } from '../../../language/check/params.js';
import type { Setting, SettingType } from '../../../language/schemas/schema.js';
import { alternative, functionNamed } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import { settingsIn } from '../names/block-schemas.js';
import type { Frame } from './frames.js';
import { isSets } from './tokens.js';

export type Fields = Readonly<Record<string, Setting>>;

/** What is after `=` or `:` in a frame, with its type. */
export function expectedIn(frames: readonly Frame[]): SettingType | undefined {
  const frame = frames.at(-1);
  const outer = frames.slice(0, -1);
  if (frame === undefined) return undefined;
  switch (frame.kind) {
    case 'top':
      return paramType(frame);
    case 'block':
    case 'record': {
      const [key, sets] = frame.statement;
      const fields = fieldsIn(frames);
      return isSets(sets) ? lookUp(fields, key?.image)?.type : undefined;
    }
    case 'list':
      return (
        alternative(expectedIn(outer), 'list')?.of ??
        (outer.at(-1)?.kind === 'top' ? expectedIn(outer) : undefined)
      );
    case 'group':
      return expectedIn(outer);
    case 'call': {
      const [name, sets] = frame.statement;
      const schema = functionNamed(frame.callee.image);
      const key = isSets(sets) ? name?.image : schema?.positional[frame.index];
      return lookUp(schema?.args, key)?.type;
    }
    default:
      return undefined;
  }
}

/** Keys that may be in the innermost frame. */
export function fieldsIn(frames: readonly Frame[]): Fields {
  const frame = frames.at(-1);
  switch (frame?.kind) {
    case 'block':
      return settingsIn(kindOf(frame));
    case 'record':
      return alternative(expectedIn(frames.slice(0, -1)), 'record')?.fields ?? {};
    case 'call':
      return functionNamed(frame.callee.image)?.args ?? {};
    default:
      return {};
  }
}

/** `train`, for a block and for a preset for it. */
export function kindOf({ head }: Extract<Frame, { kind: 'block' }>): string {
  const isPreset = head[0]?.tokenType.name === 'Preset';
  return (isPreset ? head[3] : head[0])?.image ?? '';
}

function paramType({ statement }: Extract<Frame, { kind: 'top' }>): SettingType | undefined {
  const [word, , , type] = statement;
  const isParam = word?.image === 'param' || word?.image === 'matrix';
  return isParam && statement.some(({ image }) => image === '=')
    ? lookUp(PARAM_TYPES, type?.image)
    : undefined;
}

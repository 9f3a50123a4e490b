/** Answers to `ftpc explain rank`, for a terminal. */
import { named } from '../../../language/diagnostics/make.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { lookUp } from '../../../language/source/look-up.js';
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import type { SettingAnswer } from './setting-page.js';

const INDENT = '  ';

/** `said`: what another tool's name is here. */
export function settingPagesText(
  asked: string,
  found: readonly SettingAnswer[],
  said: string | undefined,
  palette: Palette,
  width = Number.POSITIVE_INFINITY,
): string {
  const head = said === undefined ? [] : [...wrapped(said, width), ''];
  const [only, more] = found;
  if (only === undefined) return head.join('\n').trimEnd();
  if (more === undefined) return [...head, ...pageOf(only, palette, width)].join('\n');
  return [
    ...head,
    `\`${asked}\` has ${found.length} meanings:`,
    ...columns(
      found.map(({ name, doc }) => [`  ${palette.bold(name)}`, doc]),
      { width },
    ),
    `\`ftpc explain ${found.find(({ line }) => line !== undefined)?.name ?? only.name}\` says more of one`,
  ].join('\n');
}

/** Of the setting of a block, which block; an argument of a function may be in any. */
function inBlock(name: string): string {
  const [kind] = name.split('.');
  return lookUp(schemas, kind) === undefined ? '' : `, in a${kind === 'eval' ? 'n' : ''} \`${kind}\` block`;
}

function pageOf(
  { name, doc, type, default: standard, required, line, of }: SettingAnswer,
  palette: Palette,
  width: number,
): readonly string[] {
  const isSetting = line !== undefined;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['write', isSetting ? line + inBlock(name) : undefined],
    ['value', type],
    [
      'default',
      isSetting ? (standard ?? (required === true ? 'none: it must be written' : undefined)) : undefined,
    ],
    ['argument of', of === undefined ? undefined : named(of, 'and')],
  ];
  const shown = rows.flatMap(([key, text]) =>
    text === undefined ? [] : [[`  ${palette.dim(key)}`, text] as const],
  );
  return [
    palette.bold(name),
    ...wrapped(doc, width - INDENT.length).map((text) => INDENT + text),
    ...columns(shown, { width }),
  ];
}

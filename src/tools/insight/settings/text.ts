/** Explanations for a terminal. */

import { counted } from '../../../language/diagnostics/make.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import { printableIn } from '../safe-text.js';
import type { Answer, ParamExplanation, SecretExplanation, StageAnswer } from './answer.js';
import type { SetBy, SettingExplanation } from './explain.js';
import { placeText, type SettingLint } from './setting-places.js';

/** No text of a pipeline reaches the terminal as it is: colours are put around what has been made safe. */
export function answerText(found: Answer, palette: Palette, width?: number): string {
  const answer = printableIn(found);
  switch (answer.about) {
    case 'setting':
      return settingText(answer, palette, width);
    case 'stage':
      return stageText(answer, palette, width);
    case 'param':
      return paramText(answer, palette, width);
    case 'secret':
      return secretText(answer, palette, width);
    case 'pipeline':
      return [
        ...answer.params.map((param) => paramText(param, palette, width)),
        ...answer.secrets.map((secret) => secretText(secret, palette, width)),
        ...answer.stages.map((stage) => stageText(stage, palette, width)),
      ].join('\n\n');
  }
}

const UNSET = '–';

/** `pipelines/legal.ftp:34:18` (without `places`, `the file`), `preset rank_16 of std/train.ftp:12:3`, … */
export function setByText({ from, at, preset, params }: SetBy, places = true): string {
  const place = at === undefined || !places ? '' : placeText(at);
  const where = place === '' ? '' : ` (${place})`;
  if (from === 'nobody') return '';
  if (from === 'author') return place === '' ? 'the file' : place;
  if (from === 'preset')
    return preset === undefined ? `a preset${where}` : `preset ${preset.preset} of ${place || preset.module}`;
  if (from !== 'param') return from === 'planner' ? 'the planner' : from;
  const names = (params ?? []).map(({ name, from, given }) => {
    if (from === 'command line') return `-p ${name}`;
    return from === 'file' ? `param ${name}, ${given}` : `${from === 'matrix' ? 'matrix' : 'param'} ${name}`;
  });
  return `${names.length === 0 ? 'a parameter' : names.join(', ')}${where}`;
}

/** Names and what is said of them; a name of which there is nothing to say is left out. */
const listOf = (
  rows: readonly (readonly [name: string, text: string | null | undefined])[],
  palette: Palette,
  width?: number,
): readonly string[] =>
  columns(
    rows.flatMap(([name, text]) => (text == null ? [] : [[`  ${palette.dim(name)}`, text]])),
    { width },
  );

function settingText(
  { stage, kind, setting, inside }: Extract<Answer, { readonly about: 'setting' }>,
  palette: Palette,
  width?: number,
): string {
  const { path, text, setBy, asked, type, units, choices, required, why, rejected, affectsOutput } = setting;
  const nobody = required ? 'nobody, although it is required' : 'nobody; nothing is assumed';
  const rerun = affectsOutput ? `\`${stage}\` and the stages that read it run again` : 'nothing runs again';
  const rows = [
    ['value', text === null ? palette.dim('not set') : palette.bold(text)],
    ['set by', setBy.from === 'nobody' ? nobody : setByText(setBy)],
    ['asked', asked && `the file has ${asked}`],
    ['what', setting.doc],
    ['why', why],
    ['type', type],
    ['allowed', choices.length === 0 ? undefined : choices.join(', ')],
    ['units', units.length === 0 ? undefined : units.join(', ')],
    ['default', required ? 'none: it is required' : (setting.default ?? defaultText(setting, inside))],
    ['if changed', rerun],
  ] as const;
  return [
    `${palette.bold(`${stage}.${path}`)} ${palette.dim(`of a ${kind} stage`)}`,
    ...listOf(rows, palette, width),
    ...(rejected === undefined || rejected.length === 0
      ? []
      : ['', ...rejectedLines(rejected, palette, width)]),
    ...lintLines(setting.lints, palette, width),
    ...(inside.length === 0 ? [] : ['', ...settingLines(inside, palette, width)]),
  ].join('\n');
}

function defaultText({ why }: SettingExplanation, inside: readonly SettingExplanation[]): string {
  if (why !== undefined) return 'the planner chooses';
  return inside.some((one) => one.default !== null) ? 'the defaults of its parts' : 'no value';
}

function rejectedLines(
  rejected: NonNullable<SettingExplanation['rejected']>,
  palette: Palette,
  width?: number,
): readonly string[] {
  const rows = rejected.map(({ method, microBatch, rank, maxLength, peakBytes, why }) => [
    `    ${method}`,
    `${counted(microBatch, 'row')} at a time`,
    ...(rank > 0 ? [`rank ${rank}`] : ['']),
    `${maxLength} tokens`,
    bytes(peakBytes),
    palette.dim(why),
  ]);
  return [palette.dim('  rejected'), ...columns(rows, { width })];
}

function settingLines(
  settings: readonly SettingExplanation[],
  palette: Palette,
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  const others =
    longest(settings.map(({ path }) => path)) + longest(settings.map(({ setBy }) => setByText(setBy)));
  const most = Math.max(NARROWEST, Math.min(WIDEST, width - others - 6));
  const short = (text: string): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
  return columns(
    [
      ['  setting', 'value', 'set by'].map((title) => palette.dim(title)),
      ...settings.map(({ path, text, setBy }) => [
        `  ${path}`,
        text === null
          ? palette.dim(UNSET)
          : setBy.from === 'default'
            ? short(text)
            : palette.bold(short(text)),
        palette.dim(setByText(setBy)),
      ]),
    ],
    { width },
  );
}

/** Longest value in a table, and on a narrow terminal; a setting alone, and JSON, have all of it. */
const WIDEST = 44;
const NARROWEST = 12;

function stageText(
  { stage, kind, doc, settings, lints }: StageAnswer,
  palette: Palette,
  width = Number.POSITIVE_INFINITY,
): string {
  const head = `${palette.dim(kind)} ${palette.bold(stage)}`;
  // A record is shown by what is in it.
  const shown = settings.filter(
    ({ path, text }) =>
      !(text?.startsWith('{') === true && settings.some((other) => other.path.startsWith(`${path}.`))),
  );
  return [
    head,
    ...doc.split('\n').flatMap((line) => wrapped(line, width - 2).map((part) => `  ${part}`.trimEnd())),
    '',
    ...settingLines(shown, palette, width),
    ...lintLines(lints, palette, width),
  ].join('\n');
}

function lintLines(
  lints: readonly SettingLint[],
  { dim, yellow }: Palette,
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (lints.length === 0) return [];
  const below = (text: string): readonly string[] =>
    wrapped(text, width - 4).map((line) => `    ${dim(line)}`);
  const lines = lints.flatMap(({ code, rule, severity, message, help, allowed }) => [
    ...wrapped(`${yellow(`${severity}[${code}]`)}: ${message} ${dim(`(${rule})`)}`, width - 4).map(
      (line, index) => `${index === 0 ? '  ' : '    '}${line}`,
    ),
    ...(allowed === undefined ? [] : below(`allowed: ${allowed}`)),
    ...(help === undefined || allowed !== undefined ? [] : below(help)),
  ]);
  return ['', ...lines];
}

function paramText(param: ParamExplanation, palette: Palette, width?: number): string {
  const { name, doc, type, text, from, at, usedBy } = param;
  const place = at === undefined ? '' : placeText(at);
  const isMatrix = from === 'matrix';
  const rows = [
    [isMatrix ? 'values' : 'value', palette.bold(text)],
    ['set by', param.given ?? place],
    ['what', doc],
    ['type', type],
    ['default', isMatrix ? undefined : (param.default ?? 'none: it is required')],
    ['used by', usedBy.length === 0 ? 'no setting' : usedBy.join(', ')],
  ] as const;
  const head = `${palette.dim(isMatrix ? 'matrix' : 'param')} ${palette.bold(name)}`;
  return [head, ...listOf(rows, palette, width)].join('\n');
}

function secretText({ name, doc, env, at }: SecretExplanation, palette: Palette, width?: number): string {
  const rows = [
    ['read from', `$${env}; its content is shown, hashed and stored nowhere`],
    ['what', doc],
    ['declared', at && placeText(at)],
  ] as const;
  return [`${palette.dim('secret')} ${palette.bold(name)}`, ...listOf(rows, palette, width)].join('\n');
}

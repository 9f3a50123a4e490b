/** A comparison as a comment of a pull request: the headline in sight, the details folded, never longer than allowed. */
import { counted } from '../../../language/diagnostics/make.js';
import type { DiagnosticJson } from '../../../language/diagnostics/render/json.js';
import { isError } from '../../../language/diagnostics/types.js';
import { NOMINAL_SPEED } from '../../../pipeline/prepare/index.js';
import type { Comparison } from '../types.js';
import { cellText, foreign, marker } from './escape.js';
import { foldedSections } from './folded.js';
import { baseName, headline } from './headline.js';
import { noteCells } from './notes.js';
import { code } from './pieces.js';
import { type Section, sectionsOf } from './sections.js';

/** Ends without a line break. */
export function renderMarkdown(comparison: Comparison): string {
  const head = headOf(comparison.pipeline, headline(comparison));
  const foot = footer(comparison);
  return [head, ...foldedSections(sectionsOf(comparison), [head, foot]), foot].join('\n\n');
}

/** Of a pipeline that cannot be planned as it is. */
export function renderFailure(pipeline: string, found: readonly DiagnosticJson[]): string {
  const errors = found.filter(isError);
  const section: Section = {
    title: 'Errors',
    head: ['code', 'where', 'message'],
    rows: errors.map(({ code: id, file, line, column, message }) => ({
      tone: 'bad',
      cells: [[code(id)], [code(line === 0 ? file : `${file}:${line}:${column}`)], [code(message)]],
    })),
  };
  const head = headOf(pipeline, [`cannot be planned, ${counted(errors.length, 'error')}`]);
  return [head, ...foldedSections([section], [head])].join('\n\n');
}

const headOf = (pipeline: string, lines: readonly string[]): string =>
  [marker(pipeline), `**${foreign(code(pipeline))}**: ${lines.join('<br>\n')}`].join('\n');

function footer(comparison: Comparison): string {
  const { machine, notes, totals, stages } = comparison;
  const size = machine.memoryBytes === null ? '' : ` with ${machine.memoryBytes / 2 ** 20} MiB`;
  const name = machine.name === null ? 'the machine that compares' : foreign(code(machine.name));
  const timed = [...totals, ...stages.flatMap(({ figures }) => figures)].some(
    ({ figure }) => figure === 'seconds',
  );
  return [
    ...noteCells(notes).map((note) => `Note: ${cellText(note)}.`),
    `<sub>Against ${foreign(code(baseName(comparison)))}, planned for ${name}${size}.${timed ? ` Times are those of a processor that multiplies ${NOMINAL_SPEED / 1e9} GFLOP/s.` : ''}</sub>`,
  ].join('\n\n');
}

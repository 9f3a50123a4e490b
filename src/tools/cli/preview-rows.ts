import type { PreviewRow } from '../../pipeline/stages/format/preview.js';
import { previewTokens } from '../../pipeline/stages/format/preview.js';
import type { Artefact } from '../../pipeline/stages/stage.js';
import type { CliContext } from './cli-context.js';

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
  const place = dim(`${row.file}:${row.line}`);
  if (artefact.stage.kind === 'data') return [place, row.text, ''];
  const parts = await previewTokens(context.host, artefact, row);
  const text = parts.map(({ text: part, supervised }) => {
    if (!supervised) return part;
    return isColorSupported ? eachLine(part, (line) => green(bold(line))) : `${OPEN}${part}${CLOSE}`;
  });
  const learnt = row.label === undefined ? `${row.supervised} supervised` : `label ${row.label}`;
  const counts = dim(`${row.input_ids.length} tokens, ${learnt}`);
  return [`${place}  ${counts}`, text.join(''), ''];
}

/** A colour that spans a line break bleeds into pagers. */
const eachLine = (text: string, paint: (line: string) => string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : paint(line)))
    .join('\n');

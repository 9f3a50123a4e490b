/** Cells of a terminal → SVG. */
const FONT = 13;
const LINE = 18;
/** Width of a cell: every run of cells is stretched to it, so that columns meet in every font. */
const CELL = 7.8;
const MARGIN = 16;

/** The palette's first sixteen colours, legible on the dark ground. */
const COLOURS = [
  '#6e7681',
  '#ff7b72',
  '#7ee787',
  '#e3b341',
  '#79c0ff',
  '#d2a8ff',
  '#76e3ea',
  '#c9d1d9',
  '#8b949e',
  '#ffa198',
  '#a5d6a7',
  '#f2cc60',
  '#a5d6ff',
  '#e2c5ff',
  '#b3f0ff',
  '#f0f6fc',
];
const GROUND = '#0d1117';
const INK = '#d5dce4';
const FAINT = '#8b949e';

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** `lines`: rows of `{ text, colour, bold, dim }`; `typed`: the command, shown as the first line. */
export function svgOf(lines, typed) {
  const rows = [promptOf(typed), ...lines];
  const columns = Math.max(...rows.map((row) => row.findLastIndex((cell) => cell.text !== ' ') + 1));
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  const height = rows.length * LINE + 2 * MARGIN;
  const body = rows.flatMap((row, y) => runsOf(row).map((run) => textOf(run, y)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Terminal: ${escaped(typed)}">
<rect width="100%" height="100%" rx="8" fill="${GROUND}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT}">
${body.join('\n')}
</g>
</svg>
`;
}

function promptOf(typed) {
  const cell = (text, more) => ({ text, colour: null, bold: false, dim: false, ...more });
  return [cell('$', { dim: true }), cell(' '), ...[...typed].map((text) => cell(text, { bold: true }))];
}

/** Neighbours that look alike; two spaces part, since SVG makes one of them. */
function runsOf(row) {
  const runs = [];
  row.forEach((cell, x) => {
    const last = runs.at(-1);
    if (last !== undefined && sameLook(last, cell)) last.text += cell.text;
    else runs.push({ ...cell, x });
  });
  return runs.flatMap((run) =>
    [...run.text.matchAll(/\S+(?: \S+)*/gu)].map((words) => ({
      ...run,
      x: run.x + words.index,
      text: words[0],
    })),
  );
}

const sameLook = (a, b) => a.colour === b.colour && a.bold === b.bold && a.dim === b.dim;

function textOf(run, y) {
  const fill = run.colour === null ? (run.dim ? FAINT : INK) : (COLOURS[run.colour] ?? INK);
  const length = ([...run.text].length * CELL).toFixed(1);
  const weight = run.bold ? ' font-weight="bold"' : '';
  return `<text x="${(MARGIN + run.x * CELL).toFixed(1)}" y="${MARGIN + y * LINE + FONT}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${fill}"${weight}>${escaped(run.text)}</text>`;
}

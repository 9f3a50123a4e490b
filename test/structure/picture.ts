/** The house as a drawing: wings as floors, the first at the bottom; rooms from left to right. Imports go down or to the left. */
import { type Room, WINGS, type Wing } from './house.js';

const ROOM = { width: 148, height: 44, gap: 8 };
const PER_ROW = 6;
const LABEL = 172;
const PADDING = 12;
const WIDTH = LABEL + PER_ROW * (ROOM.width + ROOM.gap) + PADDING;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const rowsOf = ({ rooms }: Wing): number => Math.ceil(rooms.length / PER_ROW);

/** At least what the label takes. */
const heightOf = (wing: Wing): number =>
  Math.max(88, rowsOf(wing) * (ROOM.height + ROOM.gap) - ROOM.gap + 2 * PADDING);

const shortName = ({ path }: Room): string => path.replace(/^src\/\w+\//, '');

function drawRoom(room: Room, index: number, rows: number, top: number): string {
  const x = LABEL + (index % PER_ROW) * (ROOM.width + ROOM.gap);
  // the first row of a floor is its lowest, as floors are
  const y =
    top + (rows === 1 ? 22 : PADDING) + (rows - 1 - Math.floor(index / PER_ROW)) * (ROOM.height + ROOM.gap);
  const look = room.rim ? ' stroke-dasharray="4 3"' : '';
  return [
    `<rect x="${x}" y="${y}" width="${ROOM.width}" height="${ROOM.height}" rx="4" fill="#ffffff" stroke="#57606a"${look}/>`,
    `<text x="${x + 8}" y="${y + 18}" font-weight="600">${escaped(shortName(room))}</text>`,
    `<text x="${x + 8}" y="${y + 35}" font-size="11" fill="#57606a">${escaped(room.doc)}</text>`,
  ].join('\n');
}

/** Words of a wing's label, a line each of at most 24 letters. */
function lines(text: string): readonly string[] {
  const found: string[] = [''];
  for (const word of text.split(' ')) {
    const last = found.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= 24) found.push(word);
    else found[found.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return found;
}

const TINTS: Readonly<Record<string, string>> = {
  language: '#ddf4ff',
  compute: '#dafbe1',
  pipeline: '#fff8c5',
  tools: '#fbefff',
};

function drawWing(wing: Wing, top: number): string {
  const height = heightOf(wing);
  return [
    `<rect x="4" y="${top}" width="${WIDTH - 8}" height="${height}" rx="6" fill="${TINTS[wing.name] ?? '#ffffff'}" stroke="#d0d7de"/>`,
    `<text x="16" y="${top + 26}" font-size="16" font-weight="700">${escaped(wing.name)}</text>`,
    ...lines(wing.doc).map(
      (line, index) =>
        `<text x="16" y="${top + 46 + index * 15}" font-size="11" fill="#57606a">${escaped(line)}</text>`,
    ),
    ...wing.rooms.map((room, index) => drawRoom(room, index, rowsOf(wing), top)),
  ].join('\n');
}

export function drawHouse(): string {
  const floors: string[] = [];
  let top = 4;
  for (const wing of [...WINGS].reverse()) {
    floors.push(drawWing(wing, top));
    top += heightOf(wing) + 8;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top + 22}" viewBox="0 0 ${WIDTH} ${top + 22}" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328">`,
    '<title>The house: four wings and their rooms</title>',
    `<rect width="${WIDTH}" height="${top + 22}" fill="#ffffff"/>`,
    ...floors,
    `<text x="16" y="${top + 12}" font-size="11" fill="#57606a">A room imports only from rooms to its left and from lower rows. Dashed: may touch files, processes, the network and the clock.</text>`,
    '</svg>',
    '',
  ].join('\n');
}

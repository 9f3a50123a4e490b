/** A regular expression is tried in a process of its own, which the library of tokenizers may end. */
import { spawnSync } from 'node:child_process';
import { childEnvironment } from '../../language/host/child-environment.js';
import { libraryFolder } from './index.js';

const MOST_TIME = 15_000;

/**
 * Runs of every character that patterns tell apart: long enough that an engine that tries the square of their length gives
 * up, and short enough that one that does not is done in no time.
 */
const TRY = `
const { createRequire } = require('node:module');
const [folder, pattern] = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const { Tokenizer } = createRequire(folder + '/package.json')('tokenizers');
const split = Tokenizer.fromString(JSON.stringify({
  version: '1.0', added_tokens: [], model: { type: 'BPE', vocab: {}, merges: [] },
  pre_tokenizer: { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
})).getPreTokenizer();
const characters = [...Array(128)].map((_, i) => String.fromCharCode(i));
// an engine that sees that a text lacks a character of the pattern does not try at all
const all = characters.join('') + characters.reverse().join('');
for (const character of [...characters, '\\u00e9', '\\u0416', '\\u4e2d', '\\u0301', '\\u0663', '\\u{1f600}'])
  for (const end of ['', all, ' ' + all, 'a' + all]) split.preTokenizeString(character.repeat(6000) + end);
`;

/** Whether texts are split by a pattern without ending the process, or keeping it busy. */
export async function splitsTexts(pattern: string): Promise<boolean> {
  const { status, signal } = spawnSync(process.execPath, ['-e', TRY], {
    env: childEnvironment(),
    input: JSON.stringify([await libraryFolder('tokenizers'), pattern]),
    stdio: ['pipe', 'ignore', 'ignore'],
    timeout: MOST_TIME,
    killSignal: 'SIGKILL',
  });
  // what is not a pattern at all exits with 1; who loads it says why
  return signal === null && (status === 0 || status === 1);
}

/** A process that tries cases: it may hang, or die, and whoever started it knows of which. */
import type { TortureOptions } from '../kind.js';
import type { CasesModule, Range, Said } from './cases.js';

const [module = '', options = ''] = process.argv.slice(2);
const { open } = (await import(module)) as CasesModule;
const cases = await open(JSON.parse(options) as TortureOptions);
const say = (said: Said): void => void process.send?.(said);

process.on('message', (range: Range) => void work(range));
process.on('disconnect', () => process.exit());

async function work({ from, to }: Range): Promise<void> {
  for (let number = from; number < to; number++) {
    say({ type: 'begins', number });
    // what was said is to be on its way before the case keeps this process busy
    await new Promise(setImmediate);
    const what = await cases.attempt(number);
    if (what !== undefined) say({ type: 'wrong', number, what });
  }
  say({ type: 'done' });
}

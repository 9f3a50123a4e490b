/** A training in a process of its own, which a test kills: says every step on standard output. */
import { run } from '../../../../src/pipeline/stages/train/run.js';
import { world } from './world.js';

const [folder = '', output = ''] = process.argv.slice(2);
await run(
  world({
    folder,
    output,
    settings: { stop: { epochs: 4 }, checkpoint: { every: 2, keep: 2 } },
    emit: (event) => {
      if (event.type === 'stage.progress') process.stdout.write(`${event.step}\n`);
    },
  }),
);
process.stdout.write('done\n');

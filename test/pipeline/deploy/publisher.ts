/** A process that publishes `count` contents one after another, to be killed while it works. */
import { publishContent } from './releases-fixture.js';

const [folder = '', count = '0'] = process.argv.slice(2);
process.stdout.write('ready\n');
for (let i = 0; i < Number(count); i++) await publishContent(folder, `content-${i}`);

import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import type { FileStat } from '../../../../src/language/host/host.js';
import { ftpcWord } from '../../../../src/tools/cli/init/spelling.js';

describe('how a command is typed', () => {
  const word = (env: Readonly<Record<string, string>>, files: readonly string[] = []): string =>
    ftpcWord({
      env: (name) => env[name],
      stat: (path): FileStat | undefined =>
        files.includes(path) ? { size: 1, modified: 1, isFolder: false } : undefined,
    });
  const PATH = ['/usr/bin', '/opt/bin'].join(delimiter);

  it('is `ftpc` where the PATH has it, and through npx elsewhere', () => {
    expect(word({ PATH }, [join('/opt/bin', 'ftpc')])).to.equal('ftpc');
    expect(word({ PATH }, [join('/opt/bin', 'ftpc.cmd')])).to.equal('ftpc');
    expect(word({ PATH })).to.equal('npx ftpc');
    expect(word({})).to.equal('npx ftpc');
  });

  it('is through npx where npm started it, which puts its own folders on the PATH', () => {
    const files = [join('/usr/bin', 'ftpc')];
    expect(word({ PATH, npm_command: 'exec' }, files)).to.equal('npx ftpc');
    expect(word({ PATH, npm_execpath: '/npm/cli.js' }, files)).to.equal('npx ftpc');
  });
});

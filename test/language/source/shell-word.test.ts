import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { shellWord } from '../../../src/language/source/shell-word.js';

describe('a path in a command', () => {
  it('stays as it is where a shell changes nothing in it', () => {
    for (const path of ['pipelines/legal.ftp', '../a-b_c.ftp', 'C:\\rows\\a.ftp', '50%,+@.ftp'])
      expect(shellWord(path)).to.equal(path);
  });

  it('is one word of a shell, whatever is in it', () => {
    for (const path of ['my depot ü.ftp', "it's.ftp", 'a;b', '$HOME', 'a\nb', '"', '']) {
      const read = execFileSync('sh', ['-c', `printf %s ${shellWord(path)}`], { encoding: 'utf8' });
      expect(read).to.equal(path);
    }
  });
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import type { Fix } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/invalid');
const host = nodeHost(folder);
const names = readdirSync(folder).filter((name) => name.endsWith('.ftp'));

function apply(text: string, { edits }: Fix): string {
  return [...edits]
    .sort((a, b) => b.span.start - a.span.start)
    .reduce((done, { span, text }) => done.slice(0, span.start) + text + done.slice(span.end), text);
}

describe('fixes', () => {
  for (const name of names) {
    const { diagnostics } = compile(host, name);
    for (const [index, diagnostic] of diagnostics.entries()) {
      for (const fix of diagnostic.fixes ?? []) {
        if (fix.applicability === 'has_placeholders') continue;
        if (!fix.edits.every(({ span }) => span.file === name)) continue;
        it(`“${fix.title}” fixes ${diagnostic.code} of ${name}`, () => {
          const fixedText = apply(host.readText(join(folder, name)), fix);
          const after = compile(overlayHost(folder, { [name]: fixedText }), name).diagnostics;
          const count = (all: typeof diagnostics): number =>
            all.filter(({ code, message }) => code === diagnostic.code && message === diagnostic.message)
              .length;
          expect(count(after), `diagnostic ${index}: ${fixedText}`).to.be.below(count(diagnostics));
        });
      }
    }
  }
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { starterFiles } from '../../src/cli/init/files.js';
import { compile } from '../../src/compile.js';
import { prettyDiagnostic } from '../../src/diagnostics/render/index.js';
import { lint, rules } from '../../src/lint/index.js';
import type { Host } from '../../src/source/host.js';
import { nodeHost } from '../../src/source/node-host.js';
import { expectGolden } from '../helpers/golden.js';
import { overlayHost } from '../helpers/overlay-host.js';
import { changed, linted } from './world.js';

const root = nodeHost().packageFolder;

/** What a terminal shows of the frame of the tests with a rate that is too high. */
const sample = ((): string => {
  const { report } = linted(changed(['rate: 2e-4', 'rate: 2e-3']));
  return report.diagnostics.map((found) => prettyDiagnostic(found, report.sources)).join('\n\n');
})();

const page = `# Lints

<!-- Written from the table of rules by the tests: UPDATE_GOLDEN=1 npm test. -->

\`ftpc check\` also says what the fine-tuning guides advise against. Each rule has an id, a level and a reason;
\`ftpc explain FTP1001\` prints its page with an example.

| rule | level | what is reported |
|---|---|---|
${rules.map(({ id, code, level, doc }) => `| [\`${id}\`](errors/${code}.md) | ${level} | ${doc} |`).join('\n')}

\`\`\`
${sample}
\`\`\`

Values that a preset of the standard library chooses are not reported: the preset says why. A model that starts
from random weights (\`untrained\`) is not fine-tuned: rates, epochs, warm-up and general rows are its own affair.

## Allowing a finding

A guide is right for most pipelines. Where yours is another, say why in a comment:

\`\`\`
// allow(rate-out-of-range): 3 million parameters; 2e-3 had the lowest validation loss
optimizer = adamw(rate: 2e-3, schedule: cosine(warmup: 3%))
\`\`\`

On a line of its own the comment covers what stands right after it: a setting, a condition, a parameter, or a whole
block. Behind something, it covers its line. Several rules stand between the brackets with commas. A comment without
a reason ([FTP1040](errors/FTP1040.md)), of an unknown rule ([FTP1041](errors/FTP1041.md)) and one that allows
nothing any more ([FTP1042](errors/FTP1042.md)) are reported. \`check --sarif\` lists what was allowed, with its reason.

## Levels of a project

\`ftpc.json\`, in the pipeline's folder or the nearest one above it, sets levels for a project:

\`\`\`json
{
  "lint": {
    "rules": {
      "no-eval-gate": "error",
      "no-near-deduplication": "off"
    }
  }
}
\`\`\`

The levels are \`off\`, \`info\`, \`warning\` and \`error\`. A finding that is an error makes \`ftpc check\` and \`ftpc plan\` exit
with 1, and \`ftpc run\` not start. \`ftpc run\` prints warnings, \`ftpc plan\` every finding. The file's schema is
[schema/config.json](schema/config.json).

## Mending

\`ftpc check FILE --fix\` makes every change that is right without a doubt, in the file and in the files of yours that
it imports: signs, quotes, imports, brackets, comments that allow nothing. After each round the text is checked anew,
and a change that would bring a new error is not made. \`--diff\` prints the changes as a patch and writes nothing;
\`--fix-all\` also makes changes that are only likely to be meant, such as a rate in the usual range.

In a workflow, \`ftpc check FILE --github\` puts annotations beside the lines, and \`ftpc check FILE --sarif > ftpc.sarif\`
writes a log for code scanning (\`github/codeql-action/upload-sarif\`), with what was allowed as suppressed. Both exit
with 1 where there is an error.

## Why

${rules.map(({ id, reason }) => `- **\`${id}\`.** ${reason}`).join('\n')}
`;

/** What scripts make or fetch is not in the repository: the corpus of the starter, and the weights of SmolLM2. */
function withMade(host: Host): Host {
  const text = '{"text":"a","group":"b"}\n'.repeat(20_000);
  const questions = '{"instruction":"a","output":"b","group":"c"}\n'.repeat(20_000);
  const made = {
    'pipelines/data/starter/made.jsonl': text,
    'pipelines/data/starter/skills/made.jsonl': questions,
    'pipelines/models/SmolLM2-135M-Instruct.Q4_1.gguf': 'general.license',
  };
  const laid = overlayHost(host.cwd, made, host);
  return {
    ...laid,
    glob: (pattern, base) =>
      pattern.startsWith('data/starter/')
        ? [join(host.cwd, 'pipelines', pattern.replace('*', 'made'))]
        : host.glob(pattern, base),
  };
}

describe('docs/lints.md', () => {
  it('says what the table says', () => expectGolden('docs/lints.md', page));
});

describe('our own pipelines', () => {
  const host = withMade(nodeHost(root));
  for (const name of readdirSync(join(root, 'pipelines')).filter((name) => /(?<!\.test)\.ftp$/.test(name)))
    it(`${name} is clean, or says why not`, () => {
      const compiled = compile(host, `pipelines/${name}`);
      expect(compiled.program, 'compiles').to.not.equal(undefined);
      expect(lint(compiled, host).map(({ code, message }) => `${code} ${message}`)).to.deep.equal([]);
    });

  it('what `ftpc init` writes is clean', () => {
    const laid = overlayHost('/nowhere', starterFiles());
    const compiled = compile(laid, 'capitals.ftp');
    const found = [...compiled.diagnostics, ...lint(compiled, laid)];
    expect(found.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([]);
  });
});

describe('lint()', () => {
  it('looks at a warm file in a few milliseconds', () => {
    const host = nodeHost(root);
    const compiled = compile(host, 'pipelines/legal.ftp');
    const times = Array.from({ length: 40 }, () => {
      const start = performance.now();
      lint(compiled, host);
      return performance.now() - start;
    });
    // The median on a quiet machine is below 1.5 ms, most of it the counting of rows.
    expect(Math.min(...times)).to.be.below(5);
  });
});

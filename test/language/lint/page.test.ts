import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { prettyDiagnostic } from '../../../src/language/diagnostics/render/index.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { lintReport, rules } from '../../../src/language/lint/index.js';
import { TEMPLATE_NAMES, TEMPLATES, templateFiles } from '../../../src/tools/cli/init/templates.js';
import { expectGolden } from '../../helpers/golden.js';
import { overlayHost } from '../../helpers/overlay-host.js';
import { changed, linted } from './linted.js';

const root = nodeHost().packageFolder;

/** What a terminal shows of the frame of the tests with a rate that is too high. */
const sample = ((): string => {
  const { report } = linted(changed(['rate: 2e-4', 'rate: 2e-2']));
  return report.diagnostics.map((found) => prettyDiagnostic(found, report.sources)).join('\n\n');
})();

const page = `# Lints

<!-- Written from the table of rules by the tests: UPDATE_GOLDEN=1 npm test. -->

\`ftpc check\` also warns of practices that fine-tuning guides advise against. Each rule has an id, a level and a
reason; \`ftpc explain FTP1001\` prints its page with an example.

| rule | level | what is reported |
|---|---|---|
${rules.map(({ id, code, level, doc }) => `| [\`${id}\`](errors/${code}.md) | ${level} | ${doc} |`).join('\n')}

\`\`\`
${sample}
\`\`\`

Values chosen by a preset of the standard library are not reported: the preset says why. A model with random initial
weights (\`untrained\`) is not being fine-tuned, so the rules on rates, epochs, warm-up and general rows do not apply.

## Allowing a finding

A guide is right for most pipelines. If yours is an exception, say why in a comment:

\`\`\`
// allow(rate-out-of-range): of five rates, 2e-2 had the lowest validation loss
optimizer = adamw(rate: 2e-2, schedule: cosine(warmup: 3%))
\`\`\`

On a line of its own, the comment covers what follows: a setting, a condition, a parameter, or a whole block. At the end
of a line, it covers that line. Separate several rules by commas. A comment without a reason
([FTP1040](errors/FTP1040.md)), with an unknown rule ([FTP1041](errors/FTP1041.md)), or one that no longer allows
anything ([FTP1042](errors/FTP1042.md)) is reported. \`check --sarif\` lists what was allowed, with its reason.

## Levels for a project

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

The levels are \`off\`, \`info\`, \`warning\` and \`error\`. If a finding has the level \`error\`, \`ftpc check\` and
\`ftpc plan\` exit with 1, and \`ftpc run\` does not start. \`ftpc run\` prints warnings, \`ftpc plan\` every finding. The file's schema is
[schema/config.json](schema/config.json).

## Automatic fixes

\`ftpc check FILE --fix\` makes every correction that is certain, in the file and in your files that it imports:
punctuation, quotes, imports, brackets, comments that allow nothing. After each round the text is checked again, and a
change that would cause a new error is not made. \`--diff\` prints the changes as a patch and writes nothing; \`--fix-all\`
also makes corrections that are only likely, such as of a misspelt name, where a message has just one. What a rule
advises, such as a rate in the usual range, would change what is trained: editors offer it, and no option makes it.

Several files may be named, and folders, of which every \`.ftp\` is checked. In a workflow, \`ftpc check . --github\`
annotates the lines, and \`ftpc check . --sarif > ftpc.sarif\` writes a log for code scanning
(\`github/codeql-action/upload-sarif\`), with allowed findings as suppressed. All exit with 1 if there is an error.

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
      expect(
        lintReport(compiled, host).diagnostics.map(({ code, message }) => `${code} ${message}`),
      ).to.deep.equal([]);
    });

  for (const name of TEMPLATE_NAMES)
    it(`what \`ftpc init --template ${name}\` writes is clean`, () => {
      const laid = overlayHost('/nowhere', templateFiles(nodeHost(), name));
      const compiled = compile(laid, TEMPLATES[name].pipeline);
      const found = [...compiled.diagnostics, ...lintReport(compiled, laid).diagnostics];
      expect(found.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([]);
    });
});

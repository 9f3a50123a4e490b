import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import type { Log, Result } from 'sarif';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { checkFile } from '../../../src/language/lint/index.js';
import { sarifText } from '../../../src/tools/cli/sarif.js';
import { overlayHost } from '../../helpers/overlay-host.js';
import { sarifSchema } from './sarif-schema.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/invalid');
const validate = new Ajv2020({ formats: { uri: true, 'uri-reference': /^[\x21-\x7e]*$/ } }).compile(
  sarifSchema,
);

function logOf(host: Host, file: string): Log {
  const { diagnostics, report, sources } = checkFile(host, file);
  const log = JSON.parse(sarifText(host, diagnostics, report.suppressed, sources));
  expect(validate(log), JSON.stringify(validate.errors?.slice(0, 3))).to.equal(true);
  return log;
}

function resultsOf(text: string, file = 'x.ftp'): readonly Result[] {
  return logOf(overlayHost(folder, { [file]: text }), file).runs[0]?.results ?? [];
}

describe('SARIF', () => {
  it('is right for the whole corpus, with a rule for every result', () => {
    const host = nodeHost(folder);
    for (const name of readdirSync(folder).filter((name) => name.endsWith('.ftp'))) {
      const [run] = logOf(host, name).runs;
      const rules = run?.tool.driver.rules ?? [];
      for (const { ruleId, ruleIndex } of run?.results ?? [])
        expect(rules[ruleIndex ?? -1]?.id, name).to.equal(ruleId);
      for (const { shortDescription, help } of rules) {
        expect(shortDescription?.text).to.match(/^[^#\s]/);
        expect(help?.text).to.not.include('\n## ');
      }
    }
  });

  it('counts columns in UTF-16 units from 1, and names the file relative to the root', () => {
    const [result] = resultsOf(
      'edition 2026\n\nparam a: String = "😀é" // 名\nparam b: Int = "😀"\n',
      'a b/ü.ftp',
    );
    expect(result?.locations).to.deep.equal([
      {
        physicalLocation: {
          artifactLocation: { uri: 'a%20b/%C3%BC.ftp', uriBaseId: '%SRCROOT%' },
          region: { startLine: 4, startColumn: 16, endLine: 4, endColumn: 20 },
        },
      },
    ]);
  });

  it('has the root as a URI', () => {
    const [run] = logOf(overlayHost(folder, { 'x.ftp': 'edition 2026\n' }), 'x.ftp').runs;
    expect(run?.originalUriBaseIds?.['%SRCROOT%']?.uri).to.match(/^file:\/\/\/.*\/test\/corpus\/invalid\/$/);
  });

  it('has fixes, and the other places', () => {
    const results = resultsOf('edition 2026\n\nparam a: Int = 1\nparam a: Int = "1"\n# x\n');
    expect(results.map(({ ruleId }) => ruleId)).to.include.members(['FTP0203', 'FTP0103']);
    const [twice, comment] = ['FTP0203', 'FTP0103'].map((id) => results.find(({ ruleId }) => ruleId === id));
    expect(twice?.relatedLocations?.map(({ message }) => message?.text)).to.deep.equal(['first declaration']);
    expect(comment?.fixes?.[0]?.artifactChanges[0]?.replacements).to.deep.equal([
      {
        deletedRegion: { startLine: 5, startColumn: 1, endLine: 5, endColumn: 4 },
        insertedContent: { text: '// x' },
      },
    ]);
  });

  it('has what a comment allows, with its reason', () => {
    const text =
      'edition 2026\n\nimport { jsonl } from "std/data"\n\n// allow(no-deduplication): made by a script\ndata rows {\n  source = jsonl("data/rows.jsonl")\n}\n';
    const [result] = resultsOf(text);
    expect(result?.ruleId).to.equal('FTP1018');
    expect(result?.suppressions).to.deep.equal([
      {
        kind: 'inSource',
        location: {
          physicalLocation: {
            artifactLocation: { uri: 'x.ftp', uriBaseId: '%SRCROOT%' },
            region: { startLine: 5, startColumn: 1, endLine: 5, endColumn: 45 },
          },
        },
        justification: 'made by a script',
      },
    ]);
  });

  it('has no place where there is none', () => {
    const host = nodeHost(folder);
    const { diagnostics, report, sources } = checkFile(host, 'module.ftp', { params: { absent: '1' } });
    const log: Log = JSON.parse(sarifText(host, diagnostics, report.suppressed, sources));
    expect(validate(log)).to.equal(true);
    expect(log.runs[0]?.results?.find(({ ruleId }) => ruleId === 'FTP0501')?.locations).to.deep.equal([]);
  });
});

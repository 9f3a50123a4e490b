import { expect } from 'chai';
import { licenceInText, licencesInCard } from '../../../../src/pipeline/stages/data/licences.js';
import { cleanUp, jsonl, lines, pair, runData } from './stage.js';

const card = (front: string): string => `---\n${front}\n---\n# Rows\n`;
const rows = lines(pair('a', 'b'));

describe('data stage: licences', () => {
  afterEach(cleanUp);

  it('are in the front matter of a card, one or several', () => {
    expect(licencesInCard(card('language: en\nlicense: cc-by-4.0\ntags: [x]'))).to.deep.equal(['cc-by-4.0']);
    expect(licencesInCard(card("license: 'mit'"))).to.deep.equal(['mit']);
    expect(licencesInCard(card('license:\n- cc-by-4.0\n  - other\nsize: 1'))).to.deep.equal([
      'cc-by-4.0',
      'other',
    ]);
    expect(licencesInCard(card('license: [mit, apache-2.0]').replaceAll('\n', '\r\n'))).to.deep.equal([
      'mit',
      'apache-2.0',
    ]);
    expect(licencesInCard('license: mit\n')).to.deep.equal([]);
    expect(licencesInCard(card('license_name: mine'))).to.deep.equal([]);
  });

  it('are in a file, by tag or title', () => {
    expect(licenceInText('SPDX-License-Identifier: MIT OR Apache-2.0\n')).to.equal('MIT OR Apache-2.0');
    expect(licenceInText('Creative Commons Attribution-NonCommercial\n 4.0 International')).to.equal(
      'CC-BY-NC-4.0',
    );
    expect(licenceInText('   Apache License\n   Version 2.0, January 2004')).to.equal('Apache-2.0');
    expect(licenceInText('All rights reserved')).to.equal(undefined);
  });

  it('are found next to the files, above them, or declared, and are in the report', async () => {
    const found = async (
      files: Readonly<Record<string, string>>,
      settings: object = {},
    ): Promise<unknown> => {
      const { read } = await runData(
        { 'data/own/rows.jsonl': rows, ...files },
        { source: jsonl('data/own/rows.jsonl'), ...settings },
      );
      return JSON.parse(read('report.json'))['licences'];
    };
    const source = 'data/own/rows.jsonl';
    expect(await found({ LICENSE: 'MIT License' })).to.equal(undefined);
    expect(await found({ 'data/LICENSE': 'MIT License' })).to.deep.equal([
      { source, licences: ['MIT'], file: 'data/LICENSE' },
    ]);
    expect(await found({ 'data/own/README.md': card('license: cc0-1.0') })).to.deep.equal([
      { source, licences: ['cc0-1.0'], file: 'data/own/README.md' },
    ]);
    const both = { 'data/LICENSE': 'MIT License', 'data/own/README.md': card('license: odbl') };
    expect(await found(both)).to.deep.equal([{ source, licences: ['odbl'], file: 'data/own/README.md' }]);
    expect(await found({ 'data/LICENSE': 'MIT License' }, { license: 'CC-BY-4.0' })).to.deep.equal([
      { source, licences: ['CC-BY-4.0'] },
    ]);
  });
});

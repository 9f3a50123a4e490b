import { expect } from 'chai';
import { licenceTerms } from '../../../src/language/schemas/licences.js';

describe('licences', () => {
  it('allow what they allow, under the names of SPDX and the Hub', async () => {
    const terms = await licenceTerms();
    const expected = {
      free: 'apache-2.0 MIT cc0-1.0 CC-BY-4.0 cc-by-sa-3.0 odc-by ODbL-1.0 GPL-3.0-or-later gpl-3.0 BSD-3-Clause cdla-permissive-2.0',
      conditions: 'llama3.1 llama2 gemma openrail++ bigscience-bloom-rail-1.0 cc-by-nd-4.0',
      non_commercial:
        'cc-by-nc-4.0 CC-BY-NC-SA-3.0 cc-by-nc-nd-4.0 PolyForm-Noncommercial-1.0.0 fair-noncommercial-research-license mrl-research',
      unknown: 'other my-licence SSPL-1.0',
    };
    for (const [kind, names] of Object.entries(expected))
      for (const name of names.split(' ')) expect(terms(name), name).to.equal(kind);
  });

  it('are read in expressions', async () => {
    const terms = await licenceTerms();
    expect(terms('CC-BY-NC-4.0 OR MIT')).to.equal('free');
    expect(terms('CC-BY-NC-4.0 AND MIT')).to.equal('non_commercial');
    expect(terms('(MIT OR Apache-2.0) ')).to.equal('free');
    expect(terms('GPL-2.0-only WITH Classpath-exception-2.0')).to.equal('free');
  });

  it('are bound in expressions as their brackets say', async () => {
    const terms = await licenceTerms();
    const expected = {
      free: ['(CC-BY-NC-4.0 OR MIT) AND Apache-2.0', '((MIT))', 'mit or cc-by-nc-4.0', 'Apache 2.0', 'mit\n'],
      non_commercial: ['CC-BY-NC-4.0 AND (MIT OR Apache-2.0)', 'CC BY-NC 4.0', '(cc-by-nc-4.0 OR MIT'],
      unknown: [
        '(MIT',
        'MIT) OR Apache-2.0',
        'MIT OR',
        'OR',
        '',
        '()',
        '('.repeat(100_000),
        'MIT Apache-2.0',
      ],
    };
    for (const [kind, all] of Object.entries(expected))
      for (const licence of all) expect(terms(licence), licence.slice(0, 60)).to.equal(kind);
  });
});

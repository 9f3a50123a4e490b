import { expect } from 'chai';
import {
  newFieldName,
  newPartName,
  newSettingName,
  renamed,
} from '../../../../src/pipeline/stages/train-plan/fields.js';

describe('names of earlier versions', () => {
  it('are renamed as fields, settings and parts of a key', () => {
    expect(renamed({ method: 'lora', paged: true, headChunk: 64 }, newFieldName)).to.deep.equal({
      method: 'lora',
      pagedWeights: true,
      logitsChunk: 64,
    });
    const settings = ['decoded_once', 'head_entries', 'state_in_file', 'paged', 'batch.micro', 'using'];
    expect(settings.map(newSettingName)).to.deep.equal([
      'materialised',
      'vocabulary_shard',
      'offloaded_state',
      'paged_weights',
      'batch.micro',
      'using',
    ]);
    const parts = ['chosen.headChunk', 'chosen.method', 'settings.headChunk', 'file:headChunk'];
    expect(parts.map(newPartName)).to.deep.equal([
      'chosen.logitsChunk',
      'chosen.method',
      'settings.headChunk',
      'file:headChunk',
    ]);
  });
});

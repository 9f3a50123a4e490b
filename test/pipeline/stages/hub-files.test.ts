import { expect } from 'chai';
import {
  filesOfSplit,
  formatOfFile,
  isReadable,
  isUnread,
} from '../../../src/pipeline/stages/hub-repositories.js';

describe('files of a data set of the Hub', () => {
  it('are told apart by their endings', () => {
    const formats = [
      ['data/train.jsonl', 'jsonl'],
      ['train.jsonl.gz', 'jsonl'],
      ['data/0000.jsonl.zst', 'jsonl'],
      ['rows.json.zst', 'json'],
      ['a.csv.zst', 'csv'],
      ['data/train-00000-of-00002.parquet', 'parquet'],
      ['a.CSV', 'csv'],
      ['alpaca_data.json', 'json'],
      ['dataset_infos.json', undefined],
      ['x/state.json', undefined],
      ['train.tsv', undefined],
      ['README.md', undefined],
    ] as const;
    for (const [name, format] of formats) {
      expect(formatOfFile(name), name).to.equal(format);
      expect(isReadable(name), name).to.equal(format !== undefined);
    }
    expect(['a.tsv', 'a.jsonl.xz', 'a.arrow', 'a.jsonl', 'README.md'].map(isUnread)).to.deep.equal([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('are read in one form if the same rows are there in several', () => {
    const names = ['test.csv', 'test.parquet', 'train.csv', 'train.jsonl', 'train.parquet'];
    expect(filesOfSplit(names, undefined)).to.deep.equal(['train.jsonl']);
    expect(filesOfSplit(names, 'test')).to.deep.equal(['test.parquet']);
    expect(filesOfSplit(['a.json', 'dataset_infos.json', 'b.json'], undefined)).to.deep.equal([
      'a.json',
      'b.json',
    ]);
    expect(filesOfSplit(names, 'valid')).to.deep.equal([]);
  });
});

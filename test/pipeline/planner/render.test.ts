import { expect } from 'chai';
import { columns, wrapped } from '../../../src/pipeline/planner/render/columns.js';

describe('columns', () => {
  it('are as wide as their widest cell, whatever its colours and characters', () => {
    expect(
      columns([
        ['\u001b[2maa\u001b[22m', 'x'],
        ['許可', 'y'],
      ]),
    ).to.deep.equal(['\u001b[2maa\u001b[22m    x', '許可  y']);
  });

  it('of numbers end under each other', () => {
    expect(
      columns(
        [
          ['a', '1', 'x'],
          ['b', '100', 'y'],
        ],
        { right: [1] },
      ),
    ).to.deep.equal(['a    1  x', 'b  100  y']);
    expect(
      columns(
        [
          ['a', '1'],
          ['b', '100'],
        ],
        { right: [1] },
      ),
    ).to.deep.equal(['a    1', 'b  100']);
  });

  it('break their last cell between words, beside its column or, where there is no room, below it', () => {
    const text = 'fits, but rounds the base to four bits';
    expect(columns([['  qlora', text]], { width: 36 })).to.deep.equal([
      '  qlora  fits, but rounds the base',
      '         to four bits',
    ]);
    expect(columns([['  a method with a long name', text]], { width: 40 })).to.deep.equal([
      '  a method with a long name',
      '      fits, but rounds the base to four',
      '      bits',
    ]);
    expect(columns([['  qlora', text]])).to.have.lengthOf(1);
  });

  it('leave a word that is too long in one piece', () => {
    expect(wrapped('in /a/long/path here', 8)).to.deep.equal(['in', '/a/long/path', 'here']);
  });
});

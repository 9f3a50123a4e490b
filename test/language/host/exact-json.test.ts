import { expect } from 'chai';
import {
  entriesOf,
  exactText,
  LongWhole,
  OrderedObject,
  parseExact,
  WholeFloat,
} from '../../../src/language/host/exact-json.js';

describe('JSON whose text matters', () => {
  const texts = [
    '{"a":2.0,"b":[1.5,1e+22,-0.0,7],"c":"1.0 \\" {}"}',
    '{"b":1,"2":{"10":null,"9":"x"},"1":[]}',
    '[]',
    '"1.0"',
    '{"__proto__":{"1":2.0}}',
    '{"id":123456789012345678,"of":[-9223372036854775808,18446744073709551616,9007199254740992]}',
  ];
  for (const text of texts)
    it(`${text} is written as it was read`, () => {
      expect(exactText(parseExact(text))).to.equal(text);
    });

  it('is plain where JavaScript loses nothing', () => {
    for (const text of ['{"a":[1,2.5,true,null,"x"]}', ' [1 , {"b" : "1"}] '])
      expect(parseExact(text)).to.deep.equal(JSON.parse(text));
  });

  it('has what JavaScript would lose', () => {
    const read = parseExact(' { "2" : [ 1.0 , 1E2 ] , "1" : 0 } ');
    expect(read).to.be.instanceOf(OrderedObject);
    expect(entriesOf(read)?.map(([name]) => name)).to.deep.equal(['2', '1']);
    expect(JSON.parse(JSON.stringify(read))).to.deep.equal({ '2': [1, 100], '1': 0 });
    const [first] = entriesOf(read) ?? [];
    expect(first?.[1]).to.have.property('0').that.is.instanceOf(WholeFloat);
  });

  it('has whole numbers of any length, and of the first levels the nearest that JavaScript has', () => {
    const read = parseExact('[123456789012345678, 1234567890123456]');
    expect(read).to.have.property('0').that.is.instanceOf(LongWhole);
    expect(read).to.have.property('1', 1234567890123456);
    expect(JSON.stringify(read)).to.equal('[123456789012345680,1234567890123456]');
    expect(parseExact('{"id":123456789012345678}', 1)).to.deep.equal({ id: 123456789012345680 });
  });

  it('has plain objects at the first levels', () => {
    expect(parseExact('{"2":{"1":1.0}}', 1)).to.have.property('2').that.is.instanceOf(OrderedObject);
    expect(parseExact('{"2":{"1":1.0}}', 2)).to.deep.equal({ '2': { '1': 1 } });
    expect(parseExact('{"a":1.0,"b":{"c":1.0}}', 1))
      .to.have.nested.property('b.c')
      .that.is.instanceOf(WholeFloat);
    expect(parseExact('{"a":1.0,"b":{"c":1.0}}', 1)).to.have.property('a', 1);
  });

  it('is not anything else', () => {
    for (const text of ['{"a":1.0', '[1.0,]', '1.0 2', '{"1" "2"}'])
      expect(() => parseExact(text)).to.throw(SyntaxError);
    expect(() => parseExact(`${'['.repeat(600)}1.0${']'.repeat(600)}`)).to.throw(SyntaxError, '500 levels');
  });
});

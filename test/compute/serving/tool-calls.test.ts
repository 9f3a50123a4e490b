import { expect } from 'chai';
import {
  callsBegin,
  type ToolStyle,
  toolCallsOf,
  toolStyleOf,
} from '../../../src/compute/serving/tool-calls.js';

const RAIN = { name: 'rain', arguments: '{"city":"Bern"}' };
const SNOW = { name: 'snow', arguments: '{}' };

describe('calls of tools in answers', () => {
  it('has the style of a template', () => {
    expect(toolStyleOf('{{ "<tool_call>" }}')).to.equal('hermes');
    expect(toolStyleOf('[TOOL_CALLS]')).to.equal('mistral');
    expect(toolStyleOf('{"name": function name}')).to.equal('json');
  });

  const READ: readonly (readonly [ToolStyle, string, string, readonly object[]])[] = [
    ['hermes', '<tool_call>\n{"name": "rain", "arguments": {"city": "Bern"}}\n</tool_call>', '', [RAIN]],
    [
      'hermes',
      'I look.\n<tool_call>{"name":"rain","arguments":{"city":"Bern"}}</tool_call>\n<tool_call>{"name":"snow","arguments":{}}</tool_call>',
      'I look.',
      [RAIN, SNOW],
    ],
    ['hermes', '<tool_call>{"name":"rain","argu', '<tool_call>{"name":"rain","argu', []],
    ['hermes', 'No tool.', 'No tool.', []],
    [
      'mistral',
      '[TOOL_CALLS] [{"name": "rain", "arguments": {"city": "Bern"}}, {"name": "snow", "arguments": {}}]',
      '',
      [RAIN, SNOW],
    ],
    ['mistral', '[{"name": "rain", "arguments": {"city": "Bern"}}]', '', [RAIN]],
    ['mistral', 'Well.[TOOL_CALLS]rain[ARGS]{"city":"Bern"}[TOOL_CALLS]snow[ARGS]{}', 'Well.', [RAIN, SNOW]],
    ['mistral', '[1, 2]', '[1, 2]', []],
    ['json', '{"name": "rain", "parameters": {"city": "Bern"}}', '', [RAIN]],
    [
      'json',
      '<|python_tag|>{"name": "rain", "parameters": {"city": "Bern"}}; {"name": "snow", "parameters": {}}',
      '',
      [RAIN, SNOW],
    ],
    ['json', '{"name": "rain", "arguments": "{\\"city\\":\\"Bern\\"}"}', '', [RAIN]],
    ['json', '{"city": "Bern"}', '{"city": "Bern"}', []],
  ];
  for (const [style, text, content, calls] of READ)
    it(`reads ${style}: ${text.slice(0, 40).replaceAll('\n', ' ')}`, () => {
      expect(toolCallsOf(text, style)).to.deep.equal({ content, calls });
    });

  it('says where a call may begin, whatever follows', () => {
    expect(callsBegin('I look. <tool', 'hermes')).to.equal(8);
    expect(callsBegin('I look. <tool_call>{', 'hermes')).to.equal(8);
    expect(callsBegin('1 < 2', 'hermes')).to.equal(5);
    expect(callsBegin('  {"na', 'json')).to.equal(2);
    expect(callsBegin('set {a}', 'json')).to.equal(7);
    expect(callsBegin('[', 'mistral')).to.equal(0);
    expect(callsBegin('', 'json')).to.equal(0);
  });

  it('never gives text that turns out to be a call, cut anywhere', () => {
    for (const [style, text, content, calls] of READ)
      for (let at = 0; calls.length > 0 && at <= text.length; at++) {
        const given = text.slice(0, callsBegin(text.slice(0, at), style)).trim();
        expect(content.startsWith(given), `${style} ${text.slice(0, at)}`).to.equal(true);
      }
  });
});

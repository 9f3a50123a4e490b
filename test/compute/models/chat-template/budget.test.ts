import { expect } from 'chai';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import { type ChatMessage, ExcessiveTemplateError } from '../../../../src/compute/models/types.js';
import { modelError } from '../errors.js';

const USER: readonly ChatMessage[] = [{ role: 'user', content: 'Hi' }];

/** A value of 2^40 lists, of which each is two times the one before. */
const doubled = (list: string): string =>
  `{% set ns=namespace(x=messages) %}{% for i in range(40) %}{% set ns.x=${list} %}{% endfor %}`;
const LISTS = doubled('[ns.x,ns.x]');
const OBJECTS = doubled("{'a':ns.x,'b':ns.x}");
const NESTED =
  '{% set ns=namespace(x=1) %}{% for i in range(9999) %}{% set ns.x=[ns.x] %}{% endfor %}{{ ns.x }}';
const LONG = "'a'*1000000";
const MANY = `{% set ns=namespace(x=[${LONG}]) %}{% for i in range(13) %}{% set ns.x=ns.x+ns.x %}{% endfor %}`;
const TENFOLD =
  '{% for i in range(10) %}{{ b in a }}{{ a.find(b) }}{{ a.replace(b,"x")|length }}{% endfor %}';

/** What is written, compared, sorted or searched without end. */
const EXCESSIVE: readonly string[] = [
  ...[
    'ns.x',
    'ns.x|tojson',
    'ns.x|tojson(indent=2)',
    'ns.x|string',
    "ns.x ~ ''",
    'ns.x|join',
    'ns.x|sort',
  ].map((expression) => `${LISTS}{{ ${expression} }}`),
  ...['ns.x == ns.x', 'ns.x != ns.x', 'ns.x in [ns.x]', '(ns.x + ns.x)|unique', "ns.x|join(', ')"].map(
    (expression) => `${LISTS}{{ ${expression} }}`,
  ),
  `${LISTS}{% filter upper %}{{ ns.x }}{% endfilter %}`,
  `${LISTS}{% set y %}{{ ns.x }}{% endset %}{{ y }}`,
  ...['ns.x', 'ns.x|tojson(sort_keys=true)', 'ns.x|dictsort', 'ns.x.items()', 'ns.x|items'].map(
    (expression) => `${OBJECTS}{{ ${expression} }}`,
  ),
  `${doubled('namespace(a=ns.x,b=ns.x)')}{{ ns.x|tojson }}`,
  '{% set ns=namespace(x=1) %}{% set ns.x=[ns] %}{{ ns.x|tojson }}',
  NESTED,
  '{% set ns=namespace(x=[1,2]) %}{% for i in range(60) %}{% set ns.x=ns.x+ns.x %}{% endfor %}',
  '{% macro f() %}{{ varargs|length }}{% endmacro %}{% for i in range(9999) %}{{ f(*range(9999)) }}{% endfor %}',
  '{% set x=range(10000) %}{% for i in range(9999) %}{{ 5000 in x }}{% endfor %}',
  `{{ (${LONG}).replace('', ${LONG}) }}`,
  `{{ (${LONG})|replace('a', ${LONG}) }}`,
  `{{ range(10000)|join(${LONG}) }}`,
  `{{ (${LONG})|join(${LONG}) }}`,
  "{{ ('a\\n'*100000)|indent(1000000) }}",
  "{{ ('a\\n'*100000)|indent(width=1000000) }}",
  '{{ [1]|tojson(indent=1000000000) }}',
  `{{ range(10000)|list|tojson(separators=(${LONG},'b')) }}`,
  `${MANY}{{ ns.x|sort|length }}`,
  `${MANY}{{ ns.x|join|length }}`,
  `${MANY}{{ ns.x|unique|list|length }}`,
  `{% set a=${LONG} %}{% set b='a'*500000~'b' %}${TENFOLD}`,
  "{{ ('a,'*500000).split(',')|length }}",
  '{% macro f(n) %}{% if n > 0 %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(40) }}',
  `{% for i in range(9999) %}{% macro f() %}${'{{ 1 }}'.repeat(2_000)}{% endmacro %}{% endfor %}`,
  '{{ range(10**9) }}',
];

/** What would be made a text of on its way into an error. */
const REFUSED: readonly string[] = [
  `${LISTS}{{ raise_exception(ns.x) }}`,
  `${LISTS}{{ range(0, ns.x) }}`,
  `${LISTS}{{ strftime_now(ns.x) }}`,
  `${LISTS}{{ 'a'.find(ns.x) }}`,
  `{{ ${'['.repeat(100_000)}1${']'.repeat(100_000)} }}`,
  `{{ 1${' '.repeat(400_000)}}}`,
  'x'.repeat(500_001),
  '{#'.repeat(200_000),
];

describe('the budget of a chat template', () => {
  for (const source of EXCESSIVE)
    it(`stops ${source.slice(-70)}`, () => {
      const error = modelError(() => compileChatTemplate(source, {}, 'm/chat_template.jinja').render(USER));
      expect(error).to.be.instanceOf(ExcessiveTemplateError);
      expect(error.path).to.equal('m/chat_template.jinja');
      expect(error.detail).to.match(/more than \d+|a range of \d+/);
    });

  for (const source of REFUSED)
    it(`refuses ${source.slice(-40)}`, () => {
      const error = modelError(() => compileChatTemplate(source, {}, 'x').render(USER));
      expect(error.code).to.equal('model_template');
      expect(error.detail.length).to.be.lessThan(200);
    });

  it('has room for a long chat that looks back at every message', () => {
    const messages = Array.from(
      { length: 500 },
      (_, i): ChatMessage => ({ role: 'user', content: `Hi ${i}` }),
    );
    const source =
      '{% for message in messages %}{{ messages[loop.index:]|selectattr("role", "equalto", "user")|list|length }} {% endfor %}';
    const text = compileChatTemplate(source, {}, 'x').render(messages);
    expect(text.startsWith('499 498 ')).to.equal(true);
  });

  it('has room for a book', () => {
    const content = 'It was a dark and stormy night. '.repeat(30_000);
    const source =
      "{% for message in messages %}{{ message.content.strip().replace('night', 'day') ~ (message.content|trim) }}{% endfor %}";
    expect(compileChatTemplate(source, {}, 'x').render([{ role: 'user', content }])).to.contain('stormy day');
  });
});

/** Ways to spoil a file. Each gives another content, from the random numbers alone. */
import type { Random } from '../../language/formatter/mangle.js';

export type Way = (content: Buffer, random: Random) => Buffer;

export const below = (random: Random, most: number): number => Math.floor(random() * most);

export const pick = <T>(items: readonly T[], random: Random): T => {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
};

const spliced = (content: Buffer, at: number, gone: number, put: Uint8Array): Buffer =>
  Buffer.concat([content.subarray(0, at), put, content.subarray(at + gone)]);

/** Lengths and offsets that programs stumble over. */
const HUGE = [0n, 1n, 0x7fn, 0xffn, 0x7fffffffn, 0xffffffffn, 1n << 53n, (1n << 63n) - 1n, (1n << 64n) - 1n];

/** Near the beginning most often: there is what says how the rest is read. */
const place = (content: Buffer, random: Random): number =>
  below(random, random() < 0.6 ? Math.min(content.length, 4096) : content.length);

export const BYTES: readonly Way[] = [
  (content, random) => {
    const spoilt = Buffer.from(content);
    for (let i = below(random, 4); i >= 0 && spoilt.length > 0; i--) {
      const at = place(spoilt, random);
      spoilt[at] = (spoilt[at] ?? 0) ^ (1 << below(random, 8));
    }
    return spoilt;
  },
  (content, random) => content.subarray(0, below(random, content.length + 1)),
  (content, random) => spliced(content, place(content, random), 1 + below(random, 64), Buffer.alloc(0)),
  (content, random) => {
    const at = place(content, random);
    return spliced(content, at, 0, content.subarray(at, at + 1 + below(random, 256)));
  },
  (content, random) => {
    const put = Buffer.alloc(1 + below(random, 16), pick([0, 0xff, 0x7f, 0x80, 0x0a, 0x22], random));
    return spliced(content, place(content, random), put.length, put);
  },
  (content, random) => {
    const put = Buffer.alloc(8);
    put.writeBigUInt64LE(pick(HUGE, random));
    const width = pick([4, 8], random);
    const at = random() < 0.3 ? 0 : place(content, random) & ~3;
    return spliced(content, at, width, put.subarray(0, width));
  },
  (content, random) => {
    const bytes = Buffer.from(Array.from({ length: 1 + below(random, 32) }, () => below(random, 256)));
    return spliced(content, place(content, random), 0, bytes);
  },
  (content, random) => Buffer.concat([content, content.subarray(0, below(random, content.length + 1))]),
];

/** A value that is written as it is: what `JSON.stringify` would not give, or what only deep recursion would. */
class Raw {
  constructor(readonly text: string) {}
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json } | Raw;

const nested = (open: string, close: string, depth: number): Raw =>
  new Raw(open.repeat(depth) + close.repeat(depth));

const TEXTS = [
  '',
  ' ',
  '__proto__',
  'constructor',
  '../../../../etc/passwd',
  '/dev/zero',
  '\0',
  '\u001b[2J',
  '\ud800',
  'é\u0301',
  'a'.repeat(100_000),
  '(a+)+$',
  '{{ x }}',
  '%s%n',
];

const VALUES: readonly ((random: Random) => Json)[] = [
  () => null,
  () => true,
  () => [],
  () => ({}),
  (random) => pick([0, -0, 1, -1, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 5e-324], random),
  (random) => new Raw(pick(['1e999', '-1e999', '9'.repeat(400), '0.1e-400', 'NaN', 'Infinity'], random)),
  (random) => pick(TEXTS, random),
  (random) => nested('[', ']', pick([10, 1000, 100_000], random)),
  (random) => nested('{"a":', '}', pick([10, 1000, 100_000], random)),
  (random) => Array.from({ length: pick([2, 1000, 20_000], random) }, () => 1),
  (random) => ({ [pick(['__proto__', 'constructor', 'toString', 'length', ''], random)]: { a: 1 } }),
];

/** Changes one value of a JSON text; a text that is none is changed in its bytes. */
export const json: Way = (content, random) => {
  let value: Json;
  try {
    value = JSON.parse(content.toString()) as Json;
  } catch {
    return pick(BYTES, random)(content, random);
  }
  const changes = 1 + (random() < 0.2 ? below(random, 5) : 0);
  for (let i = 0; i < changes; i++) value = changed(value, random);
  return Buffer.from(written(value, random() < 0.1));
};

/** Goes down at random, and changes what it comes to. */
function changed(value: Json, random: Random): Json {
  if (Array.isArray(value) && value.length > 0 && random() < 0.9) {
    const at = below(random, value.length);
    return value.map((item, i) => (i === at ? changed(item, random) : item));
  }
  if (value !== null && typeof value === 'object' && !(value instanceof Raw) && !Array.isArray(value)) {
    const names = Object.keys(value);
    if (names.length > 0 && random() < 0.9) return inObject(value, pick(names, random), random);
  }
  if (typeof value === 'number' && random() < 0.5)
    return pick([value + 1, value - 1, -value, value * 1e9, value + 0.5, value * 2, String(value)], random);
  if (typeof value === 'string' && random() < 0.4) return textChanged(value, random);
  return pick(VALUES, random)(random);
}

function inObject(value: { [name: string]: Json }, name: string, random: Random): Json {
  const how = random();
  const others = Object.entries(value).filter(([other]) => other !== name);
  if (how < 0.15) return Object.fromEntries(others);
  if (how < 0.2) return Object.fromEntries([...others, [pick(TEXTS, random), value[name] ?? null]]);
  if (how < 0.25) return { ...value, [name]: pick(Object.values(value), random) };
  return { ...value, [name]: changed(value[name] ?? null, random) };
}

function textChanged(text: string, random: Random): string {
  const at = below(random, text.length + 1);
  return pick(
    [
      text.slice(0, at),
      text.slice(0, at) + pick(TEXTS, random) + text.slice(at),
      text + text,
      text.toUpperCase(),
      pick(TEXTS, random),
    ],
    random,
  );
}

/** JSON, with raw pieces as they are; `doubled`: with the names of the outermost object twice. */
function written(value: Json, doubled: boolean): string {
  const raws: string[] = [];
  const text = JSON.stringify(value, (_, inner: Json) => {
    if (!(inner instanceof Raw)) return inner;
    raws.push(inner.text);
    return `\u0001raw${raws.length - 1}\u0001`;
  });
  const whole = text.replace(/"\\u0001raw(\d+)\\u0001"/g, (_, index) => raws[Number(index)] ?? '');
  return doubled && whole.startsWith('{') && whole.length > 2
    ? `${whole.slice(0, -1)},${whole.slice(1)}`
    : whole;
}

/** The header of a safetensors file, with a length that fits, or does not; or its numbers. */
export const safetensors: Way = (content, random) => {
  const how = random();
  if (how < 0.3) return pick(BYTES, random)(content, random);
  const length = Number(content.readBigUInt64LE(0));
  const data = content.subarray(8 + length);
  if (how < 0.5) {
    const spoilt = Buffer.from(data);
    const numbers = [0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 1];
    for (let i = below(random, 100); i >= 0; i--)
      spoilt.writeUInt32LE(pick(numbers, random), below(random, spoilt.length >> 2) * 4);
    return Buffer.concat([content.subarray(0, 8 + length), spoilt]);
  }
  const header = json(content.subarray(8, 8 + length), random);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(random() < 0.1 ? pick(HUGE, random) : BigInt(header.length));
  return Buffer.concat([size, header, data]);
};

/** One line of a text of JSON lines, or its bytes. */
export const jsonLines: Way = (content, random) => {
  if (random() < 0.4) return pick(BYTES, random)(content, random);
  const lines = content.toString().split('\n');
  const at = below(random, lines.length);
  lines[at] = json(Buffer.from(lines[at] ?? ''), random).toString();
  return Buffer.from(lines.join(pick(['\n', '\n', '\n', '\r\n', '\r', '\u2028'], random)));
};

export const jsonOrBytes: Way = (content, random) =>
  random() < 0.7 ? json(content, random) : pick(BYTES, random)(content, random);

export const bytes: Way = (content, random) => pick(BYTES, random)(content, random);

/** Pieces of templates, among them those that grow what they are given. */
const JINJA = [
  '{% for i in range(100000) %}x{% endfor %}',
  '{% for i in range(40) %}{% set ns.x=[ns.x,ns.x] %}{% endfor %}',
  '{% set ns=namespace(x=messages) %}',
  '{{ ns.x|tojson }}',
  '{{ messages|tojson }}',
  "{{ ('a'*1000)*1000000 }}",
  "{{ 'a'.replace('', 'aa') }}",
  '{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}',
  "{{ raise_exception('no') }}",
  "{{ ''.constructor.constructor('return 1')() }}",
  '{{ messages[0].__proto__ }}',
  '{{ undefined.x.y }}',
  '{% if',
  '%}',
  '{{',
  '}}',
  '{#',
  '{{ [1,2]|join(messages) }}',
  '{{ messages|sort|reverse|list|map(attribute="content")|join }}',
  '{{ strftime_now("%Y") }}',
  "{% include '/etc/passwd' %}",
  `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`,
  `{{ ${'['.repeat(20_000)} }}`,
];

export const jinja: Way = (content, random) => {
  if (random() < 0.3) return pick(BYTES, random)(content, random);
  let text = content.toString();
  for (let i = below(random, 3); i >= 0; i--) {
    const at = random() < 0.5 ? text.length : below(random, text.length + 1);
    text = text.slice(0, at) + pick(JINJA, random) + text.slice(at);
  }
  return Buffer.from(text);
};

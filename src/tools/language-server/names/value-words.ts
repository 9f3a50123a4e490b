/** The words of an expression, read with the type of the place it is in. */

import type { Setting, SettingType } from '../../../language/schemas/schema.js';
import { alternative, alternatives } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { Span } from '../../../language/source/span.js';
import type { Entry, Expression } from '../../../language/syntax/ast.js';
import { schemaOf } from './block-schemas.js';
import { functionTarget, type Target } from './targets.js';

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

/** Told of every key of a record, with its path below the value. */
type OnKey = (path: string, span: Span, setting: Setting) => void;
/** Takes a reference that the place gives a meaning of its own: a metric in a condition. */
type OnReference = (reference: Of<'reference'>) => boolean;

export class ValueWalker {
  constructor(
    private readonly names: ReadonlyMap<string, Target>,
    private readonly add: (span: Span, target: Target) => void,
  ) {}

  walk(
    expression: Expression,
    type: SettingType | undefined,
    onKey?: OnKey,
    onReference?: OnReference,
    path = '',
  ): void {
    const inner = (part: Expression, of: SettingType | undefined = type): void =>
      this.walk(part, of, onKey, onReference, path);
    switch (expression.kind) {
      case 'reference':
        if (onReference?.(expression) !== true) this.reference(expression, type);
        return;
      case 'call':
        this.call(expression, type);
        return;
      case 'list': {
        const of = alternative(type, 'list')?.of ?? type;
        for (const item of expression.items) inner(item, of);
        return;
      }
      case 'record':
        this.record(expression.entries, type, onKey, path);
        return;
      case 'string':
        this.string(expression, type);
        return;
      case 'unary':
        inner(expression.operand);
        return;
      case 'binary':
        inner(expression.left);
        inner(expression.right);
        return;
      case 'conditional':
        inner(expression.condition, undefined);
        inner(expression.whenTrue);
        inner(expression.whenFalse);
        return;
      default:
    }
  }

  private reference({ path: [first, second] }: Of<'reference'>, type: SettingType | undefined): void {
    if (first === undefined) return;
    if (second === undefined && type !== undefined && choicesOf(type).includes(first.text)) {
      this.add(first.span, { kind: 'choice', value: first.text, of: type });
      return;
    }
    const target = this.names.get(first.text) ?? functionTarget(first.text);
    if (target === undefined) return;
    this.add(first.span, target);
    if (second === undefined || target.kind !== 'declared' || target.declared.what !== 'stage') return;
    const kind = target.declared.node.kind.text;
    const ports = schemaOf(kind)?.ports ?? {};
    const port = lookUp(ports, second.text);
    if (port !== undefined)
      this.add(second.span, { kind: 'port', stage: target.declared, name: second.text, port });
  }

  private call({ callee, args }: Of<'call'>, type: SettingType | undefined): void {
    const first = args[0]?.value;
    if (callee.text === 'file') {
      if (first?.kind === 'string') this.add(first.span, { kind: 'path', path: first.value, names: 'file' });
      return;
    }
    const own = this.names.get(callee.text);
    const target = own?.kind === 'function' ? own : functionTarget(callee.text);
    if (target?.kind !== 'function') {
      for (const { value } of args) this.walk(value, type);
      return;
    }
    this.add(callee.span, target);
    let position = 0;
    for (const { name, value } of args) {
      const key = name?.text ?? target.schema.positional[position++];
      const table: Readonly<Record<string, Setting>> = target.schema.args;
      const setting = lookUp(table, key);
      if (setting === undefined || key === undefined) {
        this.walk(value, undefined);
        continue;
      }
      const say: OnKey = (path, span, inner) =>
        this.add(span, { kind: 'argument', callee: callee.text, path, setting: inner });
      if (name !== undefined) say(key, name.span, setting);
      this.walk(value, setting.type, (path, span, inner) => say(`${key}.${path}`, span, inner));
    }
  }

  private record(
    entries: readonly Entry[],
    type: SettingType | undefined,
    onKey: OnKey | undefined,
    path: string,
  ): void {
    const fields = alternative(type, 'record')?.fields ?? {};
    for (const { key, value } of entries) {
      const setting = lookUp(fields, key.text);
      const at = path === '' ? key.text : `${path}.${key.text}`;
      if (setting !== undefined) onKey?.(at, key.span, setting);
      this.walk(value, setting?.type, onKey, undefined, at);
    }
  }

  private string({ value, span }: Of<'string'>, type: SettingType | undefined): void {
    const names = alternative(type, 'string')?.names;
    if (names !== undefined) this.add(span, { kind: 'path', path: value, names });
  }
}

/** Words that a type knows. */
const choicesOf = (type: SettingType | undefined): readonly string[] =>
  alternatives(type).flatMap((one) =>
    one.kind === 'enum' ? one.values : one.kind === 'file' ? (one.library?.names ?? []) : [],
  );

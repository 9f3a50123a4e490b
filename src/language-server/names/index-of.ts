/** Every word of a file and what it stands for, in the order of the file. */
import type { Module } from '../../check/modules.js';
import { PARAM_TYPES } from '../../check/params.js';
import type { StageKind } from '../../ir/types.js';
import type { Span } from '../../source/span.js';
import { budgetMetrics } from '../../stages/budget.js';
import type { MetricSchema, SettingType } from '../../stages/schema.js';
import { schemas } from '../../stages/schemas.js';
import type { Block, Expression, Preset, Word } from '../../syntax/ast.js';
import { declaredIn, namesIn, targetOf } from './declared.js';
import type { Target } from './targets.js';
import { ValueWalker } from './values.js';

export interface Occurrence {
  readonly span: Span;
  readonly target: Target;
  readonly isDeclaration: boolean;
}

export interface FileIndex {
  readonly occurrences: readonly Occurrence[];
  readonly names: ReadonlyMap<string, Target>;
}

const known = new WeakMap<Module, FileIndex>();

export function indexOf(module: Module): FileIndex {
  const before = known.get(module);
  if (before !== undefined) return before;
  const made = new Indexer(module).index();
  known.set(module, made);
  return made;
}

/** The word at an offset: the one that starts there goes before the one that ends there. */
export function occurrenceAt({ occurrences }: FileIndex, offset: number): Occurrence | undefined {
  let ended: Occurrence | undefined;
  for (const occurrence of occurrences) {
    const { start, end } = occurrence.span;
    if (start <= offset && offset < end) return occurrence;
    if (end === offset && start < end) ended = occurrence;
  }
  return ended;
}

export const schemaOf = (kind: string) =>
  Object.hasOwn(schemas, kind) ? schemas[kind as StageKind] : undefined;

class Indexer {
  private readonly found: Occurrence[] = [];
  private readonly names: ReadonlyMap<string, Target>;
  private readonly values: ValueWalker;

  constructor(private readonly module: Module) {
    this.names = namesIn(module);
    this.values = new ValueWalker(this.names, (span, target) => this.add(span, target));
  }

  index(): FileIndex {
    const { tree } = this.module;
    this.imports();
    for (const declared of declaredIn(this.module).values())
      this.add(declared.name.span, targetOf(declared), true);
    for (const { type, range, value } of [...tree.params, ...tree.matrices]) {
      const known = Object.hasOwn(PARAM_TYPES, type.text) ? PARAM_TYPES[type.text] : undefined;
      if (known !== undefined) this.add(type.span, { kind: 'param_type', name: type.text });
      for (const bound of [range?.min, range?.max]) if (bound !== undefined) this.values.walk(bound, known);
      if (value !== undefined) this.values.walk(value, listed(known, value));
    }
    for (const { value } of tree.secrets) this.values.walk(value, undefined);
    for (const preset of tree.presets) this.body(preset, preset.target);
    for (const block of tree.blocks) this.body(block, block.kind);
    for (const test of tree.tests) {
      for (const { value } of test.properties) this.values.walk(value, undefined);
      for (const { condition } of test.expectations) this.values.walk(condition, undefined);
    }
    const occurrences = this.found.sort((a, b) => a.span.start - b.span.start);
    return { occurrences, names: this.names };
  }

  private add(span: Span, target: Target, isDeclaration = false): void {
    this.found.push({ span, target, isDeclaration });
  }

  private imports(): void {
    for (const { statement, module } of this.module.imports) {
      for (const { text, span } of statement.names) {
        const declared = module === undefined ? undefined : declaredIn(module).get(text);
        if (declared !== undefined) this.add(span, targetOf(declared));
      }
      const { text, span } = statement.from;
      if (text !== '') this.add(span, { kind: 'module', name: text, module });
    }
  }

  private body(block: Block | Preset, kind: Word): void {
    const schema = schemaOf(kind.text);
    const isKnown = schema !== undefined || kind.text === 'budget';
    if (isKnown) this.add(kind.span, { kind: 'block_kind', name: kind.text });
    for (const { text, span } of block.using) {
      const target = this.names.get(text);
      if (schema?.presets.includes(text)) this.add(span, { kind: 'method', name: text, owner: kind.text });
      else if (target !== undefined) this.add(span, target);
    }
    const fields = schema?.settings ?? {};
    for (const { key, value } of block.properties) {
      const setting = Object.hasOwn(fields, key.text) ? fields[key.text] : undefined;
      if (setting === undefined) {
        this.values.walk(value, undefined);
        continue;
      }
      const owner = { owner: kind.text, stage: block.name.text };
      this.add(key.span, { kind: 'setting', ...owner, path: key.text, setting });
      this.values.walk(value, setting.type, (path, span, inner) =>
        this.add(span, { kind: 'setting', ...owner, path: `${key.text}.${path}`, setting: inner }),
      );
    }
    const metrics = schema?.metrics ?? budgetMetrics;
    for (const { condition } of block.requirements) this.condition(condition, kind.text, metrics);
  }

  private condition(
    condition: Expression,
    owner: string,
    metrics: Readonly<Record<string, MetricSchema>>,
  ): void {
    this.values.walk(condition, undefined, undefined, ({ path: [first, second] }) => {
      if (first === undefined) return false;
      const isBaseline = first.text === 'baseline' && second !== undefined;
      const word = isBaseline ? second : first;
      const schema = Object.hasOwn(metrics, word.text) ? metrics[word.text] : undefined;
      if (schema === undefined || (!isBaseline && second !== undefined)) return false;
      this.add(word.span, { kind: 'metric', owner, name: word.text, schema, isBaseline });
      return true;
    });
  }
}

/** A matrix has a list of values of its type. */
const listed = (type: SettingType | undefined, value: Expression): SettingType | undefined =>
  type !== undefined && value.kind === 'list' ? { kind: 'list', of: type } : type;

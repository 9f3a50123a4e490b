/** Every word of a file and what it refers to, in the order of the file. */

import type { Module } from '../../../language/check/modules.js';
import { PARAM_TYPES } from '../../../language/check/params.js';
import { COMPARISONS, type ComparisonName, isComparisonName } from '../../../language/schemas/comparisons.js';
import type { SettingType } from '../../../language/schemas/schema.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { Span } from '../../../language/source/span.js';
import type { Block, Expression, Machine, Preset, Test, Word } from '../../../language/syntax/ast.js';
import {
  CHECKLIST,
  hasBaseline,
  isChecklist,
  type Metrics,
  metricsOfStage,
  ownMetrics,
  schemaOf,
  settingsIn,
} from './block-schemas.js';
import { type Declaration, declaredIn, namesIn, type Target, targetOf } from './targets.js';
import { type PipelineNames, walkTest } from './test-names.js';
import { ValueWalker } from './value-words.js';

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

/** `tested`: what the pipeline declares that a test of this file refers to. */
export function indexOf(module: Module, tested: (test: Test) => PipelineNames): FileIndex {
  const before = known.get(module);
  if (before !== undefined) return before;
  const made = new Indexer(module, tested).index();
  known.set(module, made);
  return made;
}

/** The word at an offset: one that starts there is preferred to one that ends there. */
export function occurrenceAt({ occurrences }: FileIndex, offset: number): Occurrence | undefined {
  let ended: Occurrence | undefined;
  for (const occurrence of occurrences) {
    const { start, end } = occurrence.span;
    if (start <= offset && offset < end) return occurrence;
    if (end === offset && start < end) ended = occurrence;
  }
  return ended;
}

class Indexer {
  private readonly found: Occurrence[] = [];
  private readonly names: ReadonlyMap<string, Target>;
  private readonly values: ValueWalker;

  constructor(
    private readonly module: Module,
    private readonly tested: (test: Test) => PipelineNames,
  ) {
    this.names = namesIn(module);
    this.values = new ValueWalker(this.names, (span, target) => this.add(span, target));
  }

  index(): FileIndex {
    const { tree } = this.module;
    this.imports();
    for (const declared of declaredIn(this.module).values())
      this.add(declared.name.span, targetOf(declared), true);
    for (const { type, range, value } of [...tree.params, ...tree.matrices]) {
      const known = lookUp(PARAM_TYPES, type.text);
      if (known !== undefined) this.add(type.span, { kind: 'param_type', name: type.text });
      for (const bound of [range?.min, range?.max]) if (bound !== undefined) this.values.walk(bound, known);
      if (value !== undefined) this.values.walk(value, listed(known, value));
    }
    for (const { value } of tree.secrets) this.values.walk(value, undefined);
    for (const preset of tree.presets) this.body(preset, preset.target);
    for (const machine of tree.machines) this.body(machine, machineWord(machine));
    for (const block of tree.blocks) this.body(block, block.kind);
    for (const test of tree.tests)
      walkTest(test, this.tested(test), this.names, this.values, (span, target) => this.add(span, target));
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

  private body(block: Block | Preset | Machine, kind: Word): void {
    const schema = schemaOf(kind.text);
    const isKnown = schema !== undefined || kind.text === 'budget' || kind.text === 'machine';
    if (isKnown) this.add(kind.span, { kind: 'block_kind', name: kind.text });
    for (const { text, span } of block.using) {
      const target = this.names.get(text);
      if (schema?.presets.includes(text)) this.add(span, { kind: 'method', name: text, owner: kind.text });
      else if (target !== undefined) this.add(span, target);
    }
    const fields = settingsIn(kind.text);
    for (const { key, value } of block.properties) {
      const setting = lookUp(fields, key.text);
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
    for (const { condition } of block.requirements) this.condition(condition, kind.text);
  }

  private condition(condition: Expression, owner: string): void {
    this.values.walk(condition, undefined, undefined, ({ path: [first, second] }) => {
      if (first === undefined) return false;
      if (second === undefined) return this.metric(first, ownMetrics(owner), { owner });
      if (isComparisonName(first.text) && hasBaseline(owner)) {
        this.add(first.span, { kind: 'root', name: first.text, doc: COMPARISONS[first.text] });
        return this.metric(second, ownMetrics(owner), { owner, comparison: first.text });
      }
      if (isChecklist(first.text, owner)) {
        this.add(first.span, { kind: 'root', name: first.text, doc: CHECKLIST.doc });
        return this.metric(second, CHECKLIST.metrics, { owner });
      }
      const target = this.names.get(first.text);
      if (target?.kind !== 'declared' || target.declared.what !== 'stage') return false;
      const { declared } = target;
      const kind = declared.node.kind.text;
      const found = this.metric(second, metricsOfStage(owner, kind), { owner: kind, stage: declared });
      if (found) this.add(first.span, target);
      return found;
    });
  }

  private metric(
    { text, span }: Word,
    metrics: Metrics | undefined,
    of: { readonly owner: string; readonly comparison?: ComparisonName; readonly stage?: Declaration },
  ): boolean {
    const schema = lookUp(metrics, text);
    if (schema === undefined) return false;
    this.add(span, { kind: 'metric', name: text, schema, ...of });
    return true;
  }
}

/** The keyword that begins it. */
const machineWord = ({ span }: Machine): Word => ({
  text: 'machine',
  span: { ...span, end: span.start + 'machine'.length },
});

/** A matrix has a list of values of its type. */
const listed = (type: SettingType | undefined, value: Expression): SettingType | undefined =>
  type !== undefined && value.kind === 'list' ? { kind: 'list', of: type } : type;

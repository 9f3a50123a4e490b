/** What the planner chose, and the memory that a stage needs, next to the text; of this text, or not at all. */
import type { InlayHint } from 'vscode-languageserver';
import { InlayHintKind, MarkupKind } from 'vscode-languageserver/node.js';
import type { SourceText } from '../../../language/source/text.js';
import type { Block, Expression } from '../../../language/syntax/ast.js';
import type { PlannedStage } from '../../../pipeline/planner/plan-json.js';
import { peakText, planFacts, plannedOf } from '../plans.js';
import { toOffset, toPosition } from '../positions.js';
import { type Feature, onView } from '../session.js';

export const inlayHints: Feature = {
  capabilities: { inlayHintProvider: true },
  register: (session) =>
    session.connection.languages.inlayHint.on(
      onView(session, [], ({ source, module, compiled }, params): InlayHint[] => {
        const plan = session.plans.of(compiled.path);
        if (plan === undefined) return [];
        const [from, to] = [toOffset(source, params.range.start), toOffset(source, params.range.end)];
        return module.tree.blocks
          .filter(({ span }) => span.start <= to && span.end >= from)
          .flatMap((block) => hintsOf(block, plannedOf(plan, block.name.text), source));
      }),
    ),
};

/** A block that a matrix spreads has several choices: only what is the same for all is shown. */
function hintsOf(block: Block, planned: readonly PlannedStage[], source: SourceText): InlayHint[] {
  const [stage] = planned;
  if (stage === undefined) return [];
  const chosen = block.kind.text === 'train' ? stage.chosen : null;
  const head = [
    ...(chosen !== null && stage.effective['using']?.from === 'planner' ? [chosen.method] : []),
    ...(peakText(stage) === undefined || block.kind.text === 'data' ? [] : [peakText(stage)]),
  ].join(' · ');
  const last = block.using.at(-1) ?? block.name;
  const hints = planned.length > 1 ? [`${planned.length} stages`] : head === '' ? [] : [head];
  return [
    ...hints.map((text) => hint(source, last.span.end, text, planFacts(stage))),
    ...(planned.length > 1 || chosen === null ? [] : chosenHints(block, stage, chosen, source)),
  ];
}

function chosenHints(
  block: Block,
  stage: PlannedStage,
  chosen: NonNullable<PlannedStage['chosen']>,
  source: SourceText,
): InlayHint[] {
  const left = (path: string): boolean => stage.effective[path]?.from === 'planner';
  const tooltip = planFacts(stage);
  const batch = [
    ...(left('batch.micro') ? [`micro: ${chosen.microBatch}`] : []),
    `accumulation: ${chosen.accumulation}`,
  ].join(', ');
  const lora = [
    ...(left('lora.rank') ? [`rank: ${chosen.rank}`] : []),
    ...(left('lora.alpha') ? [`alpha: ${chosen.alpha}`] : []),
  ].join(', ');
  const dataset = settingValue(block, 'dataset');
  return [
    ...insideRecord(settingValue(block, 'batch'), batch, tooltip, source),
    ...insideRecord(settingValue(block, 'lora'), lora, tooltip, source),
    ...(dataset === undefined
      ? []
      : [hint(source, dataset.span.end, `up to ${chosen.maxLength} tokens`, tooltip)]),
  ];
}

const settingValue = (block: Block, key: string): Expression | undefined =>
  block.properties.find((property) => property.key.text === key)?.value;

/** Inside of a record, before its brace. */
function insideRecord(value: Expression | undefined, text: string, tooltip: string, source: SourceText) {
  const last = value?.kind === 'record' ? value.entries.at(-1) : undefined;
  return last === undefined || text === ''
    ? []
    : [hint(source, last.value.span.end, `, ${text}`, tooltip, false)];
}

const hint = (source: SourceText, at: number, label: string, tooltip: string, padded = true): InlayHint => ({
  position: toPosition(source, at),
  label,
  kind: InlayHintKind.Parameter,
  paddingLeft: padded,
  tooltip: { kind: MarkupKind.Markdown, value: tooltip },
});

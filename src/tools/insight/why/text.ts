/** A why for a terminal: a tree whose branches are reasons, and below a changed input the reasons of that. */
import type { StageAction } from '../../../language/ir/events.js';
import type { Palette } from '../../../pipeline/planner/render/palette.js';
import { reasonText } from '../../../pipeline/planner/render/reasons.js';
import { printable } from '../printable.js';
import { placeText } from '../settings/place.js';
import type { Why, WhyAnswer, WhyReason } from './why.js';

const VERDICTS: Readonly<Record<StageAction, string>> = {
  run: 'would run',
  resume: 'would resume from its checkpoint',
  cached: 'is cached: nothing would run',
};

interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

export function whyText(answer: WhyAnswer, palette: Palette): string {
  const { bold, dim } = palette;
  const then =
    answer.downstream.length === 0 || answer.action === 'cached'
      ? []
      : [
          {
            text: `then ${answer.downstream.map((name) => `\`${name}\``).join(', ')} run${answer.downstream.length === 1 ? 's' : ''} too`,
            below: [],
          },
        ];
  const tree = new Tree(answer, palette);
  return [
    `${dim(answer.kind)} ${bold(answer.stage)} ${VERDICTS[answer.action]}`,
    ...drawn([...tree.reasons(answer), ...then, { text: dim(comparedText(answer)), below: [] }], palette),
  ].join('\n');
}

/** Reasons below reasons; a stage that several read is told about once. */
class Tree {
  private readonly told = new Set<string>();

  constructor(
    private readonly answer: WhyAnswer,
    private readonly palette: Palette,
  ) {}

  reasons(why: Why): readonly Branch[] {
    return why.reasons.filter(({ code }) => code !== 'unchanged').map((reason) => this.reason(reason));
  }

  private reason(reason: WhyReason): Branch {
    const text = reasonLine(reason, this.palette);
    const input =
      reason.code === 'input_changed'
        ? this.answer.upstream.find(({ stage }) => stage === reason.path)
        : undefined;
    if (input === undefined) return { text, below: [] };
    const { dim } = this.palette;
    if (this.told.has(input.stage)) return { text: `${text} ${dim('(see above)')}`, below: [] };
    this.told.add(input.stage);
    if (input.action !== 'cached') return { text, below: this.reasons(input) };
    return {
      text,
      below: [{ text: dim('cached: last time it was another output that was read'), below: [] }],
    };
  }
}

function reasonLine(reason: WhyReason, { dim }: Palette): string {
  const digests =
    reason.code === 'file_changed' || reason.code === 'input_changed'
      ? ` ${dim(`${short(reason.before)} → ${short(reason.after)}`)}`
      : '';
  const place = reason.at === undefined ? '' : `  ${dim(placeText(reason.at))}`;
  return `${printable(words(reason))}${digests}${place}`;
}

function words(reason: WhyReason): string {
  if (reason.written === undefined) return reasonText(reason);
  const path = (reason.path ?? '').replace(/^settings\./, '');
  const [before, after] = reason.written;
  if (before === null) return `${path} is new: ${after ?? ''}`;
  return after === null ? `${path} is gone: it was ${before}` : `${path}: ${before} → ${after}`;
}

/** Digests as people compare them. */
const short = (digest: unknown): string => (typeof digest === 'string' ? digest.slice(0, 8) : '');

function comparedText({ action, comparedWith, key }: WhyAnswer): string {
  if (comparedWith === null) return 'nothing in the store to compare it with';
  const { run, parts } = comparedWith;
  const made = run === null ? '' : `, made by run ${run}`;
  return action === 'cached'
    ? `output ${key.slice(0, 8)}${made}: all ${parts} parts of its key are unchanged`
    : `compared with output ${comparedWith.key.slice(0, 8)}${made}`;
}

function drawn(branches: readonly Branch[], palette: Palette, indent = ''): readonly string[] {
  return branches.flatMap(({ text, below }, index) => {
    const isLast = index === branches.length - 1;
    return [
      `${palette.dim(`${indent}${isLast ? '└─' : '├─'}`)} ${text}`,
      ...drawn(below, palette, `${indent}${isLast ? '   ' : '│  '}`),
    ];
  });
}

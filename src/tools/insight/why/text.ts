/** A why for a terminal: a tree whose branches are reasons, and below a changed input the reasons of that. */
import type { StageAction } from '../../../language/ir/events.js';
import { reasonText } from '../../../pipeline/planner/reasons.js';
import type { Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import { printable, shortDigest } from '../safe-text.js';
import { placeText } from '../settings/setting-places.js';
import type { StageReasons, WhyAnswer, WhyReason } from './why.js';

const VERDICTS: Readonly<Record<StageAction, string>> = {
  run: 'would run',
  resume: 'would resume from its checkpoint',
  cached: 'is cached: nothing would run',
};

interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

export function whyText(answer: WhyAnswer, palette: Palette, width = Number.POSITIVE_INFINITY): string {
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
    ...drawn([...tree.reasons(answer), ...then, { text: dim(comparedText(answer)), below: [] }], {
      dim,
      width,
    }),
  ].join('\n');
}

/** Reasons below reasons; a stage that several read is told about once. */
class Tree {
  private readonly told = new Set<string>();

  constructor(
    private readonly answer: WhyAnswer,
    private readonly palette: Palette,
  ) {}

  reasons(why: StageReasons): readonly Branch[] {
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
  const { code, before, after } = reason;
  const isDigest = code === 'file_changed' || code === 'input_changed';
  const digests =
    isDigest && typeof before === 'string' && typeof after === 'string'
      ? ` ${dim(`${shortDigest(before)} → ${shortDigest(after)}`)}`
      : '';
  const place = reason.at === undefined ? '' : `  ${dim(placeText(reason.at))}`;
  return `${printable(words(reason))}${digests}${place}`;
}

const words = ({ written, ...reason }: WhyReason): string =>
  reasonText(written === undefined ? reason : { ...reason, before: written[0], after: written[1] });

function comparedText({ action, comparedWith, key }: WhyAnswer): string {
  if (comparedWith === null) return 'nothing in the store to compare it with';
  const { run, parts } = comparedWith;
  const made = run === null ? '' : `, made by run ${run}`;
  return action === 'cached'
    ? `output ${shortDigest(key)}${made}: all ${parts} parts of its key are unchanged`
    : `compared with output ${shortDigest(comparedWith.key)}${made}`;
}

function drawn(
  branches: readonly Branch[],
  page: { readonly dim: Palette['dim']; readonly width: number },
  indent = '',
): readonly string[] {
  return branches.flatMap(({ text, below }, index) => {
    const isLast = index === branches.length - 1;
    const beneath = `${indent}${isLast ? '   ' : '│  '}`;
    const [first = '', ...rest] = wrapped(text, page.width - beneath.length);
    return [
      `${page.dim(`${indent}${isLast ? '└─' : '├─'}`)} ${first}`,
      ...rest.map((line) => `${page.dim(beneath)}${line}`),
      ...drawn(below, page, beneath),
    ];
  });
}

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { alpacaTemplate } from '../../../../src/compute/models/chat-template/alpaca.js';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import type { ChatMessage, ChatTemplate } from '../../../../src/compute/models/types.js';
import { goTemplate } from '../../../../src/compute/packaging/servers/go-template.js';
import { differences, PROBES, turnForm } from '../../../../src/compute/packaging/servers/turn-form.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { CHAT_STYLES } from '../../../../src/language/schemas/functions/template.js';
import { expectGolden } from '../../../helpers/golden.js';
import { leaveOut } from '../../../helpers/leave-out.js';

const host = nodeHost();
const SPECIAL = { bos_token: '<s>', eos_token: '</s>' };
const compile = (source: string, name = 'test'): ChatTemplate => compileChatTemplate(source, SPECIAL, name);
const style = (name: string): string =>
  host.readText(join(host.packageFolder, 'stdlib/chat', `${name}.jinja`));

const DEFAULT_SYSTEM = `{% if messages[0].role != 'system' %}<|im_start|>system
You are helpful.<|im_end|>
{% endif %}${style('chatml')}`;
const LAST = `{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST]{% if loop.last and messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{% endif %}{{ m.content }}[/INST]{% elif m.role == 'assistant' %}{{ m.content }}</s>{% endif %}{% endfor %}`;

/** Templates that have a form, by name. */
const TEMPLATES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(CHAT_STYLES.map((name) => [name, style(name)])),
  'default system': DEFAULT_SYSTEM,
  'system in the last question': LAST,
  alpaca: alpacaTemplate({ begin: '<s>', end: '</s>', preamble: false }),
  'alpaca with preamble': alpacaTemplate({ begin: '<s>', end: '</s>', preamble: true }),
  braces: `{% for m in messages %}{{ '{{' + m.role + '}}' + m.content + '{{end}}' }}{% endfor %}{% if add_generation_prompt %}{{ '{{' }}assistant{{ '}}' }}{% endif %}`,
};

interface Case {
  readonly name: string;
  readonly template: string;
  readonly conversations: readonly (readonly ChatMessage[])[];
  /** What the token that begins a text, which Ollama adds, and the text of Go are together. */
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = Object.entries(TEMPLATES).map(([name, source]) => {
  const template = compile(source, name);
  const form = turnForm(template, SPECIAL.bos_token);
  if (form === undefined) throw new Error(`${name} has no form`);
  const conversations = PROBES.filter(([first]) => form.system !== undefined || first?.role !== 'system');
  const expected = conversations.map((messages) => {
    const text = template.render(messages, { addGenerationPrompt: true });
    expect(text.startsWith(form.begin)).to.equal(true);
    return text.slice(form.begin.length);
  });
  return { name, template: goTemplate(form), conversations, expected };
});

describe('templates of Go', () => {
  // the golden file is what Go gave: the test below holds it against Go, and this one holds the templates of Jinja against it
  it('write what the templates of Jinja write that they were made from', () => {
    expectGolden(
      'test/fixtures/servers/go-texts.json',
      `${JSON.stringify(
        CASES.map(({ name, template, expected }) => ({ name, template, texts: expected })),
        null,
        1,
      )}\n`,
    );
  });

  it('write it in Go, too @long', function () {
    let texts: readonly (readonly string[])[];
    try {
      const script = join(host.packageFolder, 'test/fixtures/servers/render.go');
      const requests = CASES.map(({ template, conversations }) => ({ template, conversations }));
      texts = JSON.parse(
        execFileSync('go', ['run', script], { input: JSON.stringify(requests), encoding: 'utf8' }),
      ) as typeof texts;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      leaveOut(this, 'there is no Go');
    }
    for (const [index, { name, expected }] of CASES.entries())
      expect(texts[index], name).to.deep.equal(expected);
  });

  it('are made of no template that does more than to write texts around messages', () => {
    const more: Readonly<Record<string, string>> = {
      'the day': `{{ strftime_now('%d') }}${style('chatml')}`,
      'an index':
        "{% for m in messages %}{{ loop.index ~ m.role ~ m.content }}{% endfor %}{{ 'x' if add_generation_prompt }}",
      'shortened texts': '{% for m in messages %}[{{ m.role }}]{{ m.content[:3] }}{% endfor %}',
      'a refusal': "{{ raise_exception('no') }}",
      'nothing of the question': 'Answer!',
    };
    for (const [name, source] of Object.entries(more))
      expect(turnForm(compile(source), '<s>'), name).to.equal(undefined);
  });

  it('say where they differ from the template of Jinja', () => {
    const said = (source: string): readonly string[] => {
      const template = compile(source);
      const form = turnForm(template, '<s>');
      return form === undefined ? ['no form'] : differences(form, template);
    };
    expect(said(style('chatml'))).to.deep.equal([]);
    expect(said(style('llama3'))).to.have.length(1);
    expect(said(style('llama3'))[0]).to.contain('White space');
    expect(said(TEMPLATES['alpaca with preamble'] ?? '')[0]).to.contain('### Input:');
  });
});

/** OpenAI's own client for Python against `ftpc serve`: a Python that has `openai` is named by `FTPC_PYTHON`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import { type ServingProcess, startServing } from '../helpers/serving-process.js';
import { freshFolder } from '../pipeline/run/worlds.js';

const PYTHON = process.env['FTPC_PYTHON'] || 'python3';
const hasClient = spawnSync(PYTHON, ['-c', 'import openai'], { stdio: 'ignore' }).status === 0;
const STARTER = join(nodeHost().packageFolder, 'stdlib/models/starter');
const KEY = 'sk-of-the-test-that-nobody-guesses';

/** Prints one line per call that was answered as it should be; any other raises. */
const CALLS = `
import json, sys, openai
from openai import OpenAI

url, key = sys.argv[1:]
client = OpenAI(base_url=url, api_key=key, max_retries=0)
asked = dict(model="starter", messages=[{"role": "user", "content": "Is the MIT License free?"}], temperature=0, max_tokens=8)
def chat(**more): return client.chat.completions.create(**{**asked, **more})
def done(what): print(what)

assert [m.id for m in client.models.list()] == ["starter"]; done("models")
assert client.models.retrieve("starter").object == "model"; done("model")
whole = chat()
text = whole.choices[0].message.content
assert text and whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens; done("chat")
assert chat(user="a", seed=3).choices[0].message.content == text; done("the same again")
assert chat(max_tokens=2).choices[0].finish_reason == "length"; done("length")
assert chat(stop=[text[2:4]]).choices[0].message.content == text[:text.index(text[2:4])]; done("stop")
assert len(chat(n=3, temperature=1).choices) == 3; done("n")
first = chat(logprobs=True, top_logprobs=2).choices[0].logprobs.content[0]
assert first.logprob <= 0 and len(first.top_logprobs) == 2 and bytes(first.bytes).decode() == first.token; done("logprobs")
schema = {"type": "object", "properties": {"free": {"type": "boolean"}}, "required": ["free"], "additionalProperties": False}
kept = chat(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}, max_tokens=40)
assert list(json.loads(kept.choices[0].message.content)) == ["free"]; done("schema")
pieces = list(chat(stream=True, stream_options={"include_usage": True}))
assert "".join(c.delta.content or "" for p in pieces for c in p.choices) == text and pieces[-1].usage.completion_tokens > 0; done("stream")
with client.chat.completions.with_streaming_response.create(**asked) as response:
    assert response.status_code == 200 and json.loads(response.read())["object"] == "chat.completion"; done("raw response")
from pydantic import BaseModel, Field
class Licence(BaseModel):
    name: str = Field(max_length=8)
    free: bool | None
parsed = client.chat.completions.parse(**{**asked, "max_tokens": 60}, response_format=Licence).choices[0].message.parsed
assert isinstance(parsed, Licence); done("parsed")
eight = [[c.message.content for c in chat(n=8, temperature=1, seed=7).choices] for _ in range(2)]
assert eight[0] == eight[1] and len(set(eight[0])) > 1; done("eight")
with client.chat.completions.stream(**asked, n=2, logprobs=True, top_logprobs=20, stream_options={"include_usage": True}) as stream:
    final = stream.get_final_completion()
assert len(final.choices) == 2 and final.usage.completion_tokens > 0 and len(final.choices[0].logprobs.content[0].top_logprobs) == 20; done("collected")
word = "é漢🙂"
said = [c.delta.content or "" for p in chat(stream=True, max_tokens=60, response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {"const": word}}}) for c in p.choices]
assert json.loads("".join(said)) == word and not any("\ufffd" in s for s in said); done("characters")
texts = client.completions.create(model="starter", prompt=["One", "Two"], max_tokens=3, temperature=0)
assert [c.index for c in texts.choices] == [0, 1]; done("completions")
echoed = client.completions.create(model="starter", prompt="The MIT", max_tokens=0, echo=True, logprobs=1, temperature=0)
assert echoed.choices[0].text == "The MIT" and echoed.choices[0].logprobs.token_logprobs[0] is None; done("echo")
streamed = client.completions.create(model="starter", prompt="The MIT", max_tokens=4, temperature=0, stream=True)
assert "".join(p.choices[0].text for p in streamed if p.choices); done("streamed completion")

def refused(kind, call):
    try: call()
    except kind as error: return error
    raise AssertionError("it was answered")
assert refused(openai.NotFoundError, lambda: chat(model="gpt-5")).code == "model_not_found"; done("no such model")
assert refused(openai.BadRequestError, lambda: chat(temperature=3)).param == "temperature"; done("temperature")
assert refused(openai.BadRequestError, lambda: chat(extra_body={"temprature": 1})).param == "temprature"; done("unknown field")
assert refused(openai.BadRequestError, lambda: chat(messages=[])).param == "messages"; done("no messages")
assert refused(openai.AuthenticationError, lambda: client.with_options(api_key="sk-other").models.list()).code == "invalid_api_key"; done("key")
refused(openai.NotFoundError, lambda: client.embeddings.create(model="starter", input="a")); done("no embeddings")
`;

describe('OpenAI’s client for Python', () => {
  if (!hasClient) {
    it.skip(`(not run: \`${PYTHON}\` has no package \`openai\`)`, () => {});
    return;
  }
  let serving: ServingProcess;
  before(async () => {
    const words = [STARTER, '--engine', 'embedded', '--served-model-name', 'starter', '--key-from', 'A_KEY'];
    serving = await startServing(freshFolder(), words, { A_KEY: KEY });
  });
  after(() => {
    serving?.process.kill('SIGTERM');
  });

  it('is answered and refused as it expects', () => {
    const out = execFileSync(PYTHON, ['-c', CALLS, `${serving.url}/v1`, KEY], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(out.trim().split('\n')).to.have.length(24);
  });
});

/** The chat template of the starter, and the same in JavaScript: `stdlib/models/starter/chat_template.jinja`. */
export const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

export const SPECIAL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];

/** Ends with the end token: the line end after it would teach the model to continue. */
export function chatText({ system, user, assistant }) {
  const turns = [...(system === '' ? [] : [['system', system]]), ['user', user], ['assistant', assistant]];
  return turns.map(([role, content]) => `<|im_start|>${role}\n${content}<|im_end|>`).join('\n');
}

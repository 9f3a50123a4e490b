/** What to do where Python finds a package, and cannot import it: a file of it is gone, or is of another machine. */
export const importAdvice = (python: string) => ({
  notes: [`the interpreter is \`${python}\``],
  help: '`ftpc runtime install accelerate` looks at every file of the installed environment, and makes it again where one is missing; into a Python of your own, install the package again',
});

declare module 'railroad-diagrams' {
  export interface Drawing {
    toString(): string;
  }
  const draw: {
    Diagram(...items: Drawing[]): Drawing;
    Sequence(...items: Drawing[]): Drawing;
    Choice(normal: number, ...items: Drawing[]): Drawing;
    Optional(item: Drawing): Drawing;
    OneOrMore(item: Drawing, separator?: Drawing): Drawing;
    ZeroOrMore(item: Drawing, separator?: Drawing): Drawing;
    Terminal(text: string): Drawing;
    NonTerminal(text: string): Drawing;
  };
  export default draw;
}

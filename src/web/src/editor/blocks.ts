// The statements of a text: pieces between blank lines, as Kusto's own editors run them.

export interface Block {
  from: number;
  /** After the last character that is not white space. */
  to: number;
  text: string;
}

/** All blocks of a text, in order. Blank lines inside a triple-quoted string do not part a block. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let start = -1;
  let end = 0;
  let fence = "";
  let at = 0;
  const close = (): void => {
    if (start >= 0) blocks.push({ from: start, to: end, text: text.slice(start, end) });
    start = -1;
  };
  for (const line of text.split("\n")) {
    if (line.trim() === "" && fence === "") {
      close();
    } else {
      if (start < 0) start = at;
      if (line.trim() !== "") end = at + line.trimEnd().length;
      for (const mark of line.match(/```|~~~/g) ?? []) {
        if (fence === "") fence = mark;
        else if (fence === mark) fence = "";
      }
    }
    at += line.length + 1;
  }
  close();
  return blocks;
}

/** The block at a place; on a blank line the one just before it, else none. */
export function blockAt(text: string, position: number): Block | null {
  let before: Block | null = null;
  for (const block of blocksOf(text)) {
    if (position < block.from) break;
    const lineEnd = text.indexOf("\n", block.to);
    if (position <= (lineEnd < 0 ? text.length : lineEnd)) return block;
    before = block;
  }
  return before;
}

/** The block that the place lies in, for what is written just now: on a blank line there is none. */
export function blockTouching(text: string, position: number): Block | null {
  for (const block of blocksOf(text)) {
    const lineEnd = text.indexOf("\n", block.to);
    const last = lineEnd < 0 ? text.length : lineEnd;
    if (position >= block.from && position <= last) {
      return { from: block.from, to: last, text: text.slice(block.from, last) };
    }
  }
  return null;
}

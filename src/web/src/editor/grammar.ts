// Colours at once, before the server has told what each name is: comments, strings, numbers, words.

import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";

interface LexerState {
  fence: string;
}

const KEYWORDS = new Set(
  "and asc between by contains contains_cs count desc declare else endswith endswith_cs from has has_all has_any has_cs hasprefix hassuffix if in innerunique kind let limit matches nulls of on on-error or pattern query_parameters range regex restrict set startswith startswith_cs step to true false null with where".split(
    " ",
  ),
);

const language = StreamLanguage.define<LexerState>({
  name: "kql",
  startState: () => ({ fence: "" }),
  token(stream, state) {
    if (state.fence !== "") {
      if (stream.skipTo(state.fence)) {
        stream.match(state.fence);
        state.fence = "";
      } else {
        stream.skipToEnd();
      }
      return "string";
    }
    if (stream.eatSpace()) return null;
    if (stream.match(/^\/\/.*/)) return "comment";
    const fence = stream.match(/^[hH]?(```|~~~)/) as RegExpMatchArray | null;
    if (fence) {
      state.fence = fence[1] ?? "";
      return "string";
    }
    if (stream.match(/^[hH]?@"([^"]|"")*("|$)/) || stream.match(/^[hH]?@'([^']|'')*('|$)/)) return "string";
    if (stream.match(/^[hH]?"([^"\\]|\\.)*("|$)/) || stream.match(/^[hH]?'([^'\\]|\\.)*('|$)/)) return "string";
    if (stream.match(/^(0x[0-9a-fA-F]+|\d+(\.\d+)?([eE][+-]?\d+)?[a-z]*)/)) return "number";
    const word = stream.match(/^[A-Za-z_$][\w-]*(?<!-)/) as RegExpMatchArray | null;
    if (word) return KEYWORDS.has(word[0]) ? "keyword" : null;
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "//" }, closeBrackets: { brackets: ["(", "[", "{", "'", '"'] } },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, class: "kql-comment" },
  { tag: tags.string, class: "kql-string" },
  { tag: tags.number, class: "kql-number" },
  { tag: tags.keyword, class: "kql-keyword" },
]);

export const kqlGrammar: Extension = [language, syntaxHighlighting(colours)];

// What is analysed for a place in the text: the block there, or the whole text where it is one query; with the
// declarations that stand before it unseen. Answers come back in places of the text itself.

import {
  askCompletion,
  askHover,
  askRemarks,
  askSignature,
  askTokens,
  type Completion,
  type Hover,
  type Remark,
  type SignatureHelp,
} from "../server/language";
import { blocksOf, blockTouching, type Block } from "./blocks";
import type { EditorContext } from "./context";

const whole = (text: string): Block => ({ from: 0, to: text.length, text });

export function blocksIn(context: EditorContext, text: string): Block[] {
  if (!context.isWhole) return blocksOf(text);
  return text.trim() === "" ? [] : [whole(text)];
}

export function blockIn(context: EditorContext, text: string, position: number): Block | null {
  return context.isWhole ? whole(text) : blockTouching(text, position);
}

const preludeOf = (context: EditorContext): string => context.prelude?.() ?? "";

/** Two texts are only analysed alike in the same database after the same declarations. */
export const keyOf = (context: EditorContext, text: string): string =>
  `${context.database()}\n${preludeOf(context)}\n${text}`;

export async function completionIn(
  context: EditorContext,
  text: string,
  position: number,
  signal?: AbortSignal,
): Promise<Completion> {
  const before = preludeOf(context);
  const answer = await askCompletion(context.database(), before + text, before.length + position, signal);
  return { ...answer, start: answer.start - before.length };
}

export async function hoverIn(context: EditorContext, text: string, position: number): Promise<Hover | null> {
  const before = preludeOf(context);
  const answer = await askHover(context.database(), before + text, before.length + position);
  return answer && { ...answer, start: answer.start - before.length };
}

export function signatureIn(context: EditorContext, text: string, position: number): Promise<SignatureHelp | null> {
  const before = preludeOf(context);
  return askSignature(context.database(), before + text, before.length + position);
}

export async function tokensIn(
  context: EditorContext,
  text: string,
): Promise<{ from: number; to: number; kind: string }[]> {
  const before = preludeOf(context);
  const answer = await askTokens(context.database(), before + text);
  return answer.tokens.flatMap(([start, length, kind]) => {
    const from = start - before.length;
    return from < 0 ? [] : [{ from, to: from + length, kind: answer.kinds[kind] ?? "name" }];
  });
}

export async function remarksIn(context: EditorContext, text: string): Promise<Remark[]> {
  const before = preludeOf(context);
  const remarks = await askRemarks(context.database(), before + text);
  if (before === "") return remarks;
  return remarks
    .filter((remark) => remark.start >= before.length)
    .map((remark) => ({
      ...remark,
      start: remark.start - before.length,
      fixes: remark.fixes.map((fix) => ({ ...fix, start: fix.start - before.length })),
    }));
}

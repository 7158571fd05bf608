/**
 * Where a value ends that holds punctuation. Quotation marks, brackets, commas and semicolons set values off from each
 * other, and stand in every fourth password that a generator makes: what follows the mark tells which it is.
 */
import { isOrdinary } from './made-up.ts';
import { alnum } from './secret-rule.ts';

const marks = '"\'`“”<>,;|\\';
const isMark = (text: string, at: number): boolean => at < text.length && marks.includes(text[at] as string);
const quotes = '"\'`';
const maxPiece = 80;
const run = /[^\s"'`<>,;|\\“”]+/y;
/** Up to the next mark; the punctuation of a sentence behind it is none of its own. */
const piece = /[^\s"'`<>,;|\\“”]{1,80}/y;
/** `user=`, `"host": `: the next pair of names and values. */
const nextName = /^([A-Za-z_][\w.-]{0,40})["'`]?\s{0,2}[:=]/;
const coded = /\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})/y;
const tag = /<(?:[/!?]|([A-Za-z][A-Za-z0-9-]{0,20})(?=[\s>/]|$))/y;
const lineUnits = 120;

/** The mark that opened a string in front on the same line, and no other closed: its place, or -1. */
function stringStart(text: string, from: number, quote: string): number {
  let opened = -1;
  const reach = Math.max(0, from - lineUnits);
  const first = reach + text.slice(reach, from).lastIndexOf('\n') + 1;
  for (let at = text.indexOf(quote, first); at >= 0 && at < from; at = text.indexOf(quote, at + 1)) {
    // `don't` opens nothing.
    if (opened >= 0) opened = alnum[text.charCodeAt(at + 1)] === 1 ? opened : -1;
    else if (alnum[text.charCodeAt(at - 1)] !== 1) opened = at;
  }
  return opened;
}

function closesString(text: string, from: number, at: number): boolean {
  if (/^(?:$|[\s,;:)\]}>&|+.\\])/.test(text.slice(at + 1, at + 2)) || /[([{=,+:&|]/.test(text[at - 1] ?? '='))
    return true;
  const opened = stringStart(text, from, text[at] as string);
  return opened >= 0 && (text[at - 1] !== '\\' || text[opened - 1] === '\\');
}

/** The piece of a value that begins at `at`; empty at its end. */
function pieceAt(text: string, at: number): string {
  piece.lastIndex = at;
  return (piece.exec(text)?.[0] ?? '').replace(/[.!?:)\]}*_~]+$/, '');
}

/** A value that begins at `from` has a mark at `at`: where it goes on behind it, or -1. */
function behindMark(text: string, from: number, at: number): number {
  let next = at;
  while (next - at < 4 && isMark(text, next)) {
    if (text[next] === '\\') {
      coded.lastIndex = next;
      if (coded.test(text)) return -1;
    } else if (quotes.includes(text[next] as string)) {
      if (closesString(text, from, next)) return -1;
    } else if (text[next] === '<') {
      tag.lastIndex = next;
      const name = tag.exec(text);
      if (name !== null && (name[1] === undefined || isOrdinary(name[1]))) return -1;
    }
    next += 1;
  }
  const rest = text.slice(next, next + maxPiece);
  const name = nextName.exec(rest)?.[1];
  if (name !== undefined && isOrdinary(name)) return -1;
  const own = pieceAt(text, next);
  if (own === '' || isOrdinary(own)) return -1;
  // `\n` as two characters, and the next line.
  return text[next - 1] === '\\' && /^[nrt]/.test(own) && isOrdinary(own.slice(1)) ? -1 : next;
}

/**
 * One past the last unit of the bare value that begins at `from` with a run that ends at `end`, at most `limit` units
 * long: over marks behind which it goes on.
 */
export function overMarks(text: string, from: number, end: number, limit: number): number {
  let at = end;
  while (at - from < limit && isMark(text, at)) {
    const next = behindMark(text, from, at);
    if (next < 0) break;
    run.lastIndex = next;
    if (!run.test(text)) break;
    at = run.lastIndex;
  }
  return Math.min(at, from + limit);
}

/** An argument in quotes, up to the value in it: `"bob:`. */
const openedArgument = /(?:^|[\s=([{,])(?:-[A-Za-z])?(["'])[^\s"']{0,80}$/;
const lineOf = (text: string, from: number, limit: number): string =>
  text.slice(from, from + limit).split(/[\n\r]/, 1)[0] ?? '';
/** The same for the argument of a command [from, end): in quotes it ends with them, blanks and all. */
export function argumentEnd(text: string, from: number, end: number, limit: number): number {
  const quote = openedArgument.exec(text.slice(Math.max(0, from - 84), from))?.[1];
  const close = quote === undefined ? -1 : closingAt(lineOf(text, from, limit), quote);
  return close >= end - from ? from + close : overMarks(text, from, end, limit);
}

/** A word behind a blank that ends the line, or the string. */
const lastWord = /^ ([^\s"'`]{2,64})(?=["'`]?[ \t]*(?:$|[\r\n]))/;
const anyWord = /^ ([^\s"'`,;]{8,64})(?=[\s,;"'`]|$)/;
/**
 * One past a word behind a blank that belongs to the value [from, end) in front of it, or `end`: the value says nothing
 * by itself or is made up, and so is the word.
 */
export function overBlank(text: string, from: number, end: number): number {
  if (text[end] !== ' ' || !/\d/.test(text.slice(from, end)) || end - from < 3) return end;
  const window = text.slice(end, end + maxPiece);
  const last = lastWord.exec(window)?.[1];
  const word = last ?? anyWord.exec(window)?.[1];
  if (word === undefined || /[=:]/.test(word)) return end;
  const own = word.replace(/[.!?)\]}*_~]+$/, '');
  if (isOrdinary(own)) return end;
  if (last === undefined && !(/\d/.test(own) && /[a-z]/.test(own) && /[A-Z]/.test(own))) return end;
  return end + 1 + own.length;
}

/** How many backslashes stand right before `at`. */
function slashesBefore(text: string, at: number): number {
  let count = 0;
  while (text[at - 1 - count] === '\\') count += 1;
  return count;
}

/**
 * Where in `line` the mark stands that closes a string whose content begins it, or -1: not one that is escaped or
 * doubled, nor one with a made-up piece and another mark right behind.
 */
export function closingAt(line: string, closing: string): number {
  const isPlain = closing.length === 1;
  let first = -1;
  for (let at = line.indexOf(closing); at >= 0; at = line.indexOf(closing, at + closing.length)) {
    if (first < 0) first = at;
    const slashes = slashesBefore(line, at);
    if (isPlain ? slashes % 2 === 1 && !/^[\s,;)]/.test(line.slice(at + 1, at + 2)) : slashes > 0) continue;
    if (!isPlain) return at;
    const behind = line.slice(at + 1);
    if (at > 0 && behind.startsWith(closing) && behind.indexOf(closing, 1) > 1 && !/^.[\s,;)\]}]/.test(behind)) {
      at += 1;
      continue;
    }
    const more = behind.indexOf(closing);
    if (more > 1 && /^[A-Za-z0-9]/.test(behind) && !/[\s=]/.test(behind.slice(0, more))) {
      const inside = behind.slice(0, more);
      if (!isOrdinary(inside) && !/[,:([{+]$/.test(inside)) continue;
    }
    return at;
  }
  return first;
}
